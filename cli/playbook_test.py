"""`pulsebook playbook test`: runs the tests beside playbooks in virtual time, without anything that runs."""

from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.output import ANSWER_IS_NO, WRONG_USE, JsonOption, document, fail, say

if TYPE_CHECKING:
    from engine.playbook.compiled import Compiled
    from engine.playbook.problems import Problem
    from engine.simulation.judging import Judged
    from engine.simulation.reading import Case

    BooksIn = Callable[[Path], tuple[dict[str, Compiled], list[Problem]]]

ENDINGS = (".test.yaml", ".test.yml")


def test(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="PATH...", help="Test files (*.test.yaml), or folders of them.", show_default=False
        ),
    ],
    as_json: JsonOption = False,
) -> None:
    """Run the tests beside playbooks (*.test.yaml); exit code 1 where one fails. Needs nothing that runs."""
    from cli.playbook_files import problem_line

    passed = failed = wrong = 0
    books_in = cache(_books_in)  # read once for all test files of a folder
    for file in _test_files(paths):
        problems, cases = _read(file, books_in)
        for problem in problems:
            each = _plain(problem)
            document(each) if as_json else say(problem_line(each))
        wrong += any(problem.severity == "error" for problem in problems)
        for case, judged in cases:
            passed, failed = passed + judged.passed, failed + (not judged.passed)
            document(_document(file, case, judged)) if as_json else _show(file, case, judged)
    if not as_json:
        broken = f", {wrong} test file{'s' if wrong > 1 else ''} with errors" if wrong else ""
        say(f"{passed + failed} test{'' if passed + failed == 1 else 's'}, {failed} failed{broken}")
    if failed or wrong:
        raise typer.Exit(ANSWER_IS_NO)


def _test_files(paths: Iterable[Path]) -> list[Path]:
    """All test files under these paths, each once; or the end of the command."""
    found: dict[Path, None] = {}
    for path in paths:
        if path.is_dir():
            inside = (one for one in path.rglob("*") if one.name.endswith(ENDINGS) and one.is_file())
            found |= dict.fromkeys(sorted(one for one in inside if not one.name.startswith(".")))
        elif not path.is_file():
            fail(f"{path}: no such file or folder", WRONG_USE)
        elif path.name.endswith(ENDINGS):
            found[path] = None
        else:
            fail(f"{path} is no test file: their names end in .test.yaml", WRONG_USE)
    if not found:
        fail("no test files (*.test.yaml) there", WRONG_USE)
    return list(found)


def _read(file: Path, books_in: "BooksIn") -> "tuple[list[Problem], list[tuple[Case, Judged]]]":
    """What is wrong with a test file, and its tests, run."""
    from connectors.actions.registry import specs
    from engine.playbook.problems import Problem
    from engine.simulation.judging import judge
    from engine.simulation.reading import read_suite

    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        return [Problem(str(file), 1, 1, f"cannot be read: {error}", "save it as UTF-8 text")], []
    books, broken = books_in(file.parent)
    suite = read_suite(text, str(file), books, specs())
    problems = list(suite.problems)
    if suite.playbook not in books:
        problems += broken
    return problems, [(case, judge(case)) for case in suite.cases]


def _books_in(folder: Path) -> "tuple[dict[str, Compiled], list[Problem]]":
    """The playbooks in a folder, by name; and the errors of those that cannot be read."""
    from cli.composing import load_settings, playbook_limits
    from cli.playbook_files import is_playbook
    from connectors.actions.registry import specs
    from engine.playbook.canonical import digest
    from engine.playbook.compiled import Compiled
    from engine.playbook.problems import Problem
    from engine.playbook.reading import read

    limits = playbook_limits(load_settings())
    books: dict[str, Compiled] = {}
    broken: list[Problem] = []
    for path in sorted(one for one in folder.iterdir() if is_playbook(one) and one.is_file()):
        try:
            found = read(path.read_text(encoding="utf-8"), str(path), specs(), limits=limits)
        except (OSError, UnicodeDecodeError) as error:
            broken.append(Problem(str(path), 1, 1, f"cannot be read: {error}", "save it as UTF-8 text"))
            continue
        if found.playbook is None:
            broken += (one for one in found.problems if one.severity == "error")
        else:
            books.setdefault(found.playbook.name, Compiled(found.playbook, digest(found.playbook)))
    return books, broken


def _show(file: Path, case: "Case", judged: "Judged") -> None:
    named = f"{case.book.playbook.name}: {case.name}"
    assumed = ", ".join(f"{step} ({what})" for step, what in judged.assumed.items())
    if judged.passed:
        say(f"ok      {named}" + (f"  [assumed: {assumed}]" if assumed else ""))
        return
    say(f"FAILED  {named}")
    for one in judged.differences:
        say(f"        {file}:{one.mark.line}:{one.mark.column}: {one.what}")
        say(f"          expected: {one.expected}")
        say(f"          got:      {one.got}")
    if assumed:
        say(f"        assumed: {assumed}")


def _document(file: Path, case: "Case", judged: "Judged") -> dict[str, Any]:
    return {
        "file": str(file),
        "line": case.line,
        "playbook": case.book.playbook.name,
        "name": case.name,
        "passed": judged.passed,
        "differences": [
            {
                "line": one.mark.line,
                "column": one.mark.column,
                "what": one.what,
                "expected": one.expected,
                "got": one.got,
            }
            for one in judged.differences
        ],
        "assumed": judged.assumed,
    }


def _plain(problem: "Problem") -> dict[str, Any]:
    import msgspec

    plain: dict[str, Any] = msgspec.to_builtins(problem)
    return plain
