"""docs/importing.md: its example is what comes out, its tables are complete."""

import re
from pathlib import Path

from connectors.actions.registry import specs
from engine.importing.functions import FUNCTIONS
from engine.importing.programs import COUNTERPARTS
from engine.importing.stackpulse import imported

PAGE = (Path(__file__).parents[3] / "docs" / "importing.md").read_text("utf-8")


def test_every_example_is_imported_as_shown() -> None:
    theirs = re.findall(r"```yaml stackpulse\n(.*?)```", PAGE, re.DOTALL)
    ours = re.findall(r"```yaml pulsebook\n(.*?)```", PAGE, re.DOTALL)
    assert len(theirs) == len(ours) >= 1
    for source, expected in zip(theirs, ours, strict=True):
        found = imported(source, "importing.md", specs())
        assert (found.problems, found.lint) == ((), ())
        assert found.playbook == expected


def test_every_step_program_with_a_counterpart_is_in_the_table() -> None:
    rows = re.findall(r"^\| (`.+?) \|", PAGE[PAGE.index("| step program |") :], re.MULTILINE)
    told = {name for row in rows[:5] for name in re.findall(r"`([\w/-]+)`", row)}
    assert told == set(COUNTERPARTS)


def test_every_function_is_listed_in_order() -> None:
    listed = PAGE[PAGE.index("<!-- functions -->") : PAGE.index("`toPrettyJson` gives")]
    assert re.findall(r"`(\w+)`", listed) == sorted(FUNCTIONS, key=str.lower)
