"""Playbooks and test files as text, and what comes of them."""

from engine.playbook.canonical import digest
from engine.playbook.compiled import Compiled
from engine.playbook.reading import read
from engine.simulation.judging import Judged, judge
from engine.simulation.reading import ReadSuite, read_suite
from engine.simulation.told import Told
from tests.engine.playbook.builders import ACTIONS

ON = "on: {alert: {tags: {service: checkout}}, call: {}}\n"


def book_of(steps: str, more: str = "", on: str = ON) -> Compiled:
    """The playbook `demo` with these steps (YAML, from its first column)."""
    found = read(f"playbook: demo\n{on}{more}steps:\n{steps}", "demo.yaml", ACTIONS)
    assert found.playbook is not None, [str(problem) for problem in found.problems]
    return Compiled(found.playbook, digest(found.playbook))


def suite_of(book: Compiled, case: str) -> ReadSuite:
    """One test, its keys at the first column but for the name."""
    lines = "".join(f"    {line}\n" for line in case.strip().splitlines())
    text = f"playbook: demo\ntests:\n  - name: shows it\n{lines}"
    return read_suite(text, "demo.test.yaml", {"demo": book}, ACTIONS)


def judged(book: Compiled, case: str) -> Judged:
    """How that test went."""
    suite = suite_of(book, case)
    assert suite.problems == (), [str(problem) for problem in suite.problems]
    (one,) = suite.cases
    return judge(one)


def told_of(book: Compiled, answers: str = "{}", more: str = "") -> Told:
    """What comes of a run that is started by hand."""
    told = judged(book, f"answers: {answers}\n{more}\nexpect: {{steps: {{}}}}").told
    assert told is not None
    return told


def problems_of(book: Compiled, case: str) -> list[str]:
    """What is wrong with that test, as it is shown."""
    return [str(problem) for problem in suite_of(book, case).problems]
