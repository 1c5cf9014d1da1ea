"""docs/playbooks.md shows the keys of test files, and its example is run. Run this module to write
the tables.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.actions.registry import specs
from engine.playbook.canonical import digest
from engine.playbook.compiled import Compiled
from engine.playbook.reading import read
from engine.simulation import keys
from engine.simulation.judging import judge
from engine.simulation.reading import Case, read_suite

DOCS = Path(__file__).parents[3] / "docs" / "playbooks.md"
BEGIN = "<!-- generated from engine/simulation/keys.py: python -m tests.engine.simulation.test_docs -->\n"
END = "<!-- end of tests -->"
SECTIONS = (keys.FILE, keys.CASE, keys.EXPECT, keys.PUBLISHED, keys.ASKED, keys.FAILURE, keys.ANSWER)


def tables() -> str:
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    for section in SECTIONS:
        yield f"### {section.title[0].upper()}{section.title[1:]}"
        yield "| key | takes | meaning | default |"
        yield "|---|---|---|---|"
        yield from (f"| `{key.name}` | {key.takes} | {key.about} | {key.default} |" for key in section.keys)
        yield ""
    yield "`alert` takes the names of [what an expression can see](#names) of an alert, without the `alert.`."
    yield ""


def test_the_tables_are_those_of_the_code() -> None:
    told = DOCS.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0]
    assert told == tables(), "run `python -m tests.engine.simulation.test_docs`"


def _cases() -> tuple[Case, ...]:
    playbook, test = (
        re.findall(rf"```yaml\n{begin}(.*?)```", DOCS.read_text(encoding="utf-8"), re.S)[0]
        for begin in ("(?=playbook: restart-checkout)", r"# restart-checkout\.test\.yaml\n")
    )
    found = read(playbook, "restart-checkout.yaml", specs()).playbook
    assert found is not None
    books = {found.name: Compiled(found, digest(found))}
    suite = read_suite(test, "restart-checkout.test.yaml", books, specs())
    assert suite.problems == ()
    return suite.cases


@pytest.mark.parametrize("case", _cases(), ids=lambda case: case.name)
def test_every_test_of_the_example_passes(case: Case) -> None:
    assert judge(case).differences == ()


if __name__ == "__main__":
    before, _, rest = DOCS.read_text(encoding="utf-8").partition(BEGIN)
    DOCS.write_text(before + BEGIN + tables() + END + rest.partition(END)[2], encoding="utf-8")
