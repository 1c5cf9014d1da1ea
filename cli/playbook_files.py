"""Playbook files on this machine: which there are, what is wrong with them, how a problem is written."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from cli.output import WRONG_USE, fail
from connectors.actions.registry import specs
from engine.playbook.calls import Caller, caller_of, check_calls
from engine.playbook.problems import Problem
from engine.playbook.reading import read
from engine.playbook.reading_steps import Limits

ENDINGS = (".yaml", ".yml")


def is_playbook(path: Path) -> bool:
    """Whether a file's name is a playbook's: YAML, and no test (`*.test.yaml`), and not hidden."""
    return path.suffix in ENDINGS and not path.stem.endswith(".test") and not path.name.startswith(".")


def playbook_files(paths: Iterable[Path]) -> list[Path]:
    """All playbook files under these paths, each once. Raises FileNotFoundError for a path that is none."""
    found: dict[Path, None] = {}
    for path in paths:
        if path.is_dir():
            inside = (file for file in path.rglob("*") if is_playbook(file) and file.is_file())
            found |= dict.fromkeys(sorted(inside))
        elif path.is_file():
            found[path] = None
        else:
            raise FileNotFoundError(path)
    return list(found)


def named_files(paths: Iterable[Path]) -> list[Path]:
    """The same for a command that was told these paths: its end where there are none."""
    try:
        files = playbook_files(paths)
    except FileNotFoundError as error:
        fail(f"{error}: no such file or folder", WRONG_USE)
    if not files:
        fail("no playbook files (*.yaml) there", WRONG_USE)
    return files


def problems_of(files: Sequence[Path], limits: Limits, secrets: Collection[str]) -> list[Problem]:
    """Everything that is wrong with these files, file by file, without anything that runs. `secrets`: names
    that exist on this machine.
    """
    problems: dict[str, list[Problem]] = {str(file): [] for file in files}
    callers: list[Caller | None] = []
    for file in files:
        name = str(file)
        try:
            text = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            problems[name].append(Problem(name, 1, 1, f"cannot be read: {error}", "save it as UTF-8 text"))
            callers.append(None)
            continue
        found = read(text, name, specs(), secrets=secrets, limits=limits)
        problems[name] += found.problems
        callers.append(caller_of(found.value, name, found.playbook))
    for problem in check_calls([one for one in callers if one], whole=all(callers)):
        problems[problem.file].append(problem)
    return [problem for each in problems.values() for problem in sorted(each, key=_place)]


def _place(problem: Problem) -> tuple[int, int]:
    return problem.line, problem.column


def github_line(problem: Mapping[str, Any]) -> str:
    """A problem as GitHub Actions takes it, to be shown beside the line of a pull request."""
    place = {"file": problem["file"], "line": problem["line"], "col": problem["column"]}
    where = ",".join(f"{key}={_github(str(value), ':,')}" for key, value in place.items())
    fix = f" ({problem['fix']})" if problem.get("fix") else ""
    return f"::{problem['severity']} {where}::{_github(problem['message'] + fix)}"


def _github(text: str, more: str = "") -> str:
    """What would end a command, or a property of it, as GitHub's own toolkit writes it."""
    return "".join(f"%{ord(one):02X}" if one in "%\r\n" + more else one for one in text)


def problem_line(problem: Mapping[str, Any]) -> str:
    """A problem as compilers write it: file:line:column: error: message (fix)."""
    place = f"{problem['file']}:{problem['line']}:{problem['column']}"
    fix = f" ({problem['fix']})" if problem.get("fix") else ""
    return f"{place}: {problem['severity']}: {problem['message']}{fix}"
