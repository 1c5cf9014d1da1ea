"""Asked about the playbooks that were active, the answer is what happened: every step as it ended, and
nothing that had to be assumed.
"""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from audit.whatif.comparing import step_named
from audit.whatif.fates import RAN
from audit.whatif.world import Word
from engine.playbook.model import AlertTrigger, Playbook
from schemas.events import StepAsked, StepRequested
from tests.audit.whatif.history import HOUR_MS, MINUTE_MS, SECOND_MS, History, playbook

ROOT = Path(__file__).parents[3]
SHIPPED = sorted((ROOT / "playbooks").glob("*.yaml")) + [
    path for path in sorted((ROOT / "examples" / "playbooks").glob("*.yaml")) if ".test" not in path.name
]
UNSURE = """
playbook: unsure
on: {alert: {}}
report: [succeeded, failed]
steps:
  - {id: ask, action: http.request, with: {method: POST, url: "https://a.internal/"}, on_unknown: ask}
  - {id: again, action: http.request, with: {method: POST, url: "https://b.internal/"}, on_unknown: retry}
  - {id: get, action: http.request, with: {url: "https://c.internal/"}, continue_on_error: true}
  - {id: sure, ask: {question: "Go on?", choices: [go, stop], timeout: 5m, on_timeout: stop}}
  - parallel:
      left: [{id: slow, action: http.request, with: {url: "https://d.internal/"}, timeout: 20s}]
      right:
        - {id: twice, foreach: "[1, 2]", as: n, steps: [{id: do, action: log, with: {message: "${{ n }}"}}]}
  - {id: healed, wait: {until: recovered, timeout: 10m}}
finally: [{id: note, action: log, with: {message: "${{ run.status }} ${{ steps.sure.output.choice }}"}}]
"""


def moody(asked: StepRequested) -> Mapping[str, Any]:
    """The world on a bad day: what it answers depends on the step and the attempt only."""
    mood = (len(asked.step) + asked.attempt) % 5
    if mood == 0:
        return {"status": "failed", "kind": "http_5xx", "message": "503", "after_ms": 3 * SECOND_MS}
    if mood == 1 and not asked.repeatable:
        return {"status": "unknown", "kind": "timeout", "message": "no answer", "after_ms": 30 * SECOND_MS}
    return {"output": {"message": asked.step, "status": 200, "body": {"ok": True}}, "after_ms": mood * 700}


def unsure(asked: StepRequested) -> Mapping[str, Any]:
    """Nobody knows of the first attempts that post whether they were done; one page is not there."""
    if not asked.repeatable and asked.attempt == 1:
        return {"status": "unknown", "kind": "timeout", "message": "no answer", "after_ms": 30 * SECOND_MS}
    if asked.step == "get":
        return {"status": "failed", "kind": "http_4xx", "message": "404"}
    return {"output": {"status": 200}, "after_ms": 15 * SECOND_MS}


def word(asked: StepAsked) -> Word:
    return Word(asked.choices[0], "mira", 20 * SECOND_MS) if asked.attempt or asked.step == "sure" else Word()


async def as_it_was(past: History, book: Playbook) -> set[tuple[str, str]]:
    """Its steps as they ended, all runs together, once it is sure that the question comes to the same."""
    told = await past.asked(book, every=True)
    tally = told.report.tallies[book.name]
    assert (told.changes, tally.assumed.total()) == ([], 0)
    assert tally.started[0] == tally.started[1] == tally.on_record > 0
    steps = [
        (step_named(path, one), one.status)
        for fate in past.came_to.values()
        for path, one in fate.steps.items()
    ]
    assert +tally.steps[0] == Counter(step for step, status in steps if status in RAN)
    return set(steps)


@pytest.mark.parametrize("file", SHIPPED, ids=lambda path: path.stem)
async def test_a_shipped_playbook_comes_to_what_it_came_to(file: Path) -> None:
    book = replace(playbook(file.read_text()), alerts=(AlertTrigger(),))
    past = History(book, said=moody, word=word)
    for minute in range(0, 60, 7):
        past.comes(minute * MINUTE_MS, metric="system.disk.in_use", host=f"web-{minute % 3}")
    assert await as_it_was(past, book)


async def test_unknown_outcomes_questions_branches_and_recoveries_come_to_what_they_came_to() -> None:
    past = History(UNSURE, said=unsure, word=word)
    for number in range(4):
        scope = {"cycle_key": f"c{number}", "scope": f"service:{number}"}
        past.comes(number * HOUR_MS, **scope)
        if number % 2:
            past.recovers(number * HOUR_MS + 4 * MINUTE_MS, **scope)
    steps = await as_it_was(past, playbook(UNSURE))
    assert steps >= {
        ("ask", "succeeded"),
        ("again", "succeeded"),
        ("get", "failed"),
        ("sure", "succeeded"),
        ("twice[].do", "succeeded"),
        ("slow", "succeeded"),
        ("healed", "succeeded"),
        ("note", "succeeded"),
    }
