"""Every way a playbook file can be wrong: the message, the line and column, and what would be right.

The cases are in `refusals/*.txt`; each file says below which few lines its cases stand.
"""

from pathlib import Path
from typing import NamedTuple

import pytest

from tests.engine.playbook.builders import read_text

BASES = {
    "whole": "",
    "TOP": "playbook: a\non: {call: {}}\nsteps:\n  - {id: a, action: http.request, with: {url: x}}\n",
    "ON": "playbook: a\nsteps: [{exit: {}}]\non:\n",
    "STEP": "playbook: a\non: {call: {}}\nsteps:\n",
}


class Case(NamedTuple):
    """A file and its problems."""

    name: str
    text: str
    problems: list[str]


def cases() -> list[Case]:
    found = []
    for path in sorted((Path(__file__).parent / "refusals").glob("*.txt")):
        head, *blocks = path.read_text("utf-8").strip("\n").split("\n\n")
        base = BASES[head.rpartition("# base: ")[2]]
        for block in blocks:
            lines = [line for line in block.split("\n") if not line.startswith("=> ")]
            problems = [line.removeprefix("=> ") for line in block.split("\n") if line.startswith("=> ")]
            found.append(Case(f"{path.stem}: {lines[0]}", base + "\n".join(lines) + "\n", problems))
    return found


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_a_wrong_playbook_says_what_is_wrong_where_and_what_would_be_right(case: Case) -> None:
    read = read_text(case.text, endpoints=["prod"], secrets=["A"])
    assert [str(problem).removeprefix("book.yaml:") for problem in read.problems] == case.problems
    assert (read.playbook is None) == any(problem.severity == "error" for problem in read.problems)


def test_the_bases_alone_are_right() -> None:
    assert read_text(BASES["TOP"]).problems == ()
    assert read_text(BASES["ON"] + "  call: {}").problems == ()
    assert read_text(BASES["STEP"] + "  - exit: {}").problems == ()


@pytest.mark.parametrize(
    "on, tags",
    [
        ("{tags: {env: prod, team: pay}}", '["env:prod"]'),
        ("{tags: {env: prod}, kind: query_alert_monitor}", '["env:prod"]'),
        ("{tags: {env: prod}}", '["env:${{ alert.scope }}"]'),
        ("{kind: a}", '["env:prod"]'),
    ],
)
def test_events_that_the_trigger_does_not_ask_for_are_no_problem(on: str, tags: str) -> None:
    text = f"playbook: a\non: {{alert: {on}}}\nsteps: [{{publish: {{title: t, tags: {tags}}}}}]\n"
    assert read_text(text).problems == ()
