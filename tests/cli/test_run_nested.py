"""Steps within steps in the terminal: `pulsebook run show` and `run watch`."""

from cli.run_shown import event_line
from schemas.topics import RUN_JOURNAL
from tests.cli.conftest import Pulsebook, Served
from tests.console.nested_run import nested_life
from tests.engine.run.given import RUN_ID


def test_iterations_stand_below_their_loop_and_say_how_far_it_is(web: Served, pulsebook: Pulsebook) -> None:
    life = nested_life()
    web.written(RUN_JOURNAL, RUN_ID, *life.journal)

    lines = pulsebook("run", "show", RUN_ID).stdout.splitlines()

    at = next(at for at, line in enumerate(lines) if line.startswith("restart "))
    below = [line.split()[0] for line in lines[at + 1 : at + 4] if line.startswith("  restart[")]
    assert below == ["restart[0].approve", "restart[1].approve", "restart[1].kill"]
    assert "2 of 3 iterations" in lines[at]
    (healed,) = (line for line in lines if line.startswith("healed "))
    assert "wait" in healed and "for the alert to recover, until 20" in healed
    (child,) = (line for line in lines if line.startswith("child "))
    assert "run status-page" in child and life.live.steps["child"].child_run_id in child
    (both,) = (line for line in lines if line.startswith("#4 "))
    assert "parallel" in both and "side by side: work, calm, page" in both
    (case,) = (line for line in lines if line.startswith("#5 "))
    assert "switch" in case and "'web-1': case 1" in case


def test_what_happens_in_an_iteration_stands_to_the_right() -> None:
    asked = {
        "type": "StepAsked",
        "step": "restart[2].approve",
        "question": "Restart?",
        "choices": ["restart", "leave"],
        "due_ms": 1_795_000_000_000,
        "on_timeout": "leave",
        "by": ["admin"],
    }

    said = "restart[2].approve: asks: Restart? (restart, leave; by admin; leave at 2026-11-18T"
    assert event_line(asked).startswith("  " + said)
    assert event_line({**asked, "step": "approve", "by": []}).startswith("approve: asks: Restart? (re")
