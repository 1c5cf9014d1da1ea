"""Imported samples, run: they do in our engine what they did there."""

from pathlib import Path
from typing import Any

from connectors.actions.registry import specs
from engine.importing.stackpulse import imported
from engine.playbook.reading import read
from tests.engine.run.given import Life

FOLDER = Path(__file__).parent / "samples"


def a_life(name: str, **inputs: Any) -> Life:
    text = imported((FOLDER / f"{name}.yaml").read_text("utf-8"), name, specs()).playbook
    playbook = read(text, name, specs()).playbook
    assert playbook is not None
    return Life(playbook, inputs=inputs, actions=tuple(spec.pinned for spec in specs().values()))


def program(life: Life) -> str:
    """The step program that is asked for now."""
    url: str = life.asked.arguments["url"]
    return url.removeprefix("https://step-programs.invalid/")


def answer(life: Life, body: Any = None) -> None:
    """The executor claims the step (it is a POST) and answers."""
    life.feed(life.claim())
    life.succeed({"status": 200, "headers": {}, "body": body})


def test_a_loop_goes_over_the_list_and_is_left_when_it_is_well() -> None:
    life = a_life("loops")
    assert program(life) == "kubectl/get-pods"
    pods = [{"name": "a", "status": "Running"}, {"name": "b", "status": "Failed"}]
    answer(life, {"items": pods})
    assert program(life) == "kubectl/logs"
    assert life.asked.arguments["json"]["env"] == {"POD_NAME": "b", "NUMBER": 1}
    answer(life, {"lines": ["x"]})
    assert life.asked.arguments["json"]["env"] == {"LINES": '["x"]'}
    answer(life)
    assert life.asked.arguments["json"]["env"] == {"ATTEMPT": 1}
    answer(life, {"state": "pending", "items": []})
    assert life.asked.arguments["json"]["env"] == {"ATTEMPT": 2}
    answer(life, {"state": "HEALTHY", "items": []})
    assert life.status == "succeeded", "healthy: left early, and nothing is given up"


def test_after_a_loop_the_last_round_is_looked_at() -> None:
    life = a_life("loops")
    answer(life, {"items": [{"name": "a", "status": "Running"}]})
    for _ in range(3):
        assert program(life) == "example/check"
        answer(life, {"state": "ill", "items": [{"name": "first"}]})
    assert program(life) == "example/give-up"
    assert life.asked.arguments["json"]["env"] == {"ALL": ["a"], "FIRST": "first"}


def test_a_question_is_asked_and_its_answer_decides() -> None:
    life = a_life("question", service="web")
    life.reply("Restart", step="ask")
    assert program(life) == "example/restart"
    assert life.asked.arguments["json"]["env"] == {"SERVICE": "web"}


def test_a_question_that_nobody_answers_takes_the_default() -> None:
    life = a_life("question", service="web")
    life.fire("ask")
    assert life.live.steps["ask"].output["choice"] == "Nothing"
    assert life.live.steps["restart"].phase == "skipped"


def test_a_group_is_done_whole_or_not_at_all() -> None:
    life = a_life("groups", env="dev")
    answer(life, {"nodes": [1, 2, 3], "state": "down"})
    assert program(life) == "example/drain"
    life.feed(life.claim())
    life.fail("http_4xx", "404")
    assert program(life) == "example/restart", "drain may fail; mend and tell wait for it in vain"
    answer(life)
    answer(life)
    assert life.status == "succeeded"
    assert program(life) == "example/health", "what could not be translated is never done"


def test_a_step_program_that_nobody_runs_fails_the_run() -> None:
    life = a_life("groups", env="dev")
    life.fail("unreachable", "no such host")
    assert life.status == "failed"
