"""Every exit code that the code knows is in the one list and on the page, with what a supervisor does."""

import re
from pathlib import Path

from cli import output
from cli.exit_codes import EXIT_CODES
from cli.supervisor import REFUSED_DELAY_MAX_S, RESTART_DELAY_MAX_S
from streams import ending, running

PAGE = (Path(__file__).parents[2] / "docs" / "cli.md").read_text()
ROW = re.compile(r"^\| (\d+) \| (.*?) \| (.*?) \| (.*?) \|$", re.M)
NAMES = ("DONE", "ANSWER_IS_NO", "WRONG_USE", "CANNOT_REACH")


def test_every_code_that_the_code_knows_is_in_the_list() -> None:
    known = {getattr(output, name) for name in NAMES} | {
        value
        for module in (ending, running)
        for name, value in vars(module).items()
        if name.startswith("EXIT_") and isinstance(value, int)
    }
    assert known == set(EXIT_CODES)


def test_no_other_code_is_written_out_anywhere() -> None:
    root = Path(__file__).parents[2]
    plain = re.compile(r"(?:typer\.Exit|sys\.exit|os\._exit|SystemExit|\.end|fail)\([^()]*?\b(\d+)\)")
    assert [
        f"{path.relative_to(root)}: {found}"
        for room in ("cli", "streams", "executor", "console", "connectors")
        for path in (root / room).rglob("*.py")
        for found in plain.findall(path.read_text())
    ] == []


def test_the_page_lists_every_code_with_its_meaning_and_what_a_supervisor_does() -> None:
    rows = {int(code): (means, again) for code, means, _, again in ROW.findall(PAGE)}
    assert {code: means for code, (means, _) in rows.items()} == {
        code: each.means for code, each in EXIT_CODES.items()
    }
    assert {code for code, (_, again) in rows.items() if again.startswith("seldom")} == {
        code for code, each in EXIT_CODES.items() if each.seldom
    }


def test_the_page_says_how_long_the_supervisor_waits() -> None:
    assert f"never later than after {RESTART_DELAY_MAX_S:g} s" in PAGE
    assert f"at most every {REFUSED_DELAY_MAX_S / 60:g} minutes" in PAGE
