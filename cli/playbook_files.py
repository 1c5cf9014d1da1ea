"""Playbook files on this machine: which there are, what is wrong with them, how a problem is written."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from connectors.actions.registry import specs
from engine.playbook.problems import Problem
from engine.playbook.reading import Limits, read

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


def problems_of(files: Sequence[Path], limits: Limits, secrets: Collection[str]) -> list[Problem]:
    """Everything that is wrong with these files, file by file, without anything that runs. `secrets`: names
    that exist on this machine.
    """
    problems: list[Problem] = []
    first_of: dict[str, Path] = {}
    for file in files:
        try:
            text = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            problems.append(Problem(str(file), 1, 1, f"cannot be read: {error}", "save it as UTF-8 text"))
            continue
        found = read(text, str(file), specs(), secrets=secrets, limits=limits)
        problems += found.problems
        if found.playbook is None:
            continue
        name = found.playbook.name
        if (other := first_of.setdefault(name, file)) is not file:
            message = f"`{name}` is the playbook of {other} too: only the one applied last would be active"
            problems.append(Problem(str(file), 1, 1, message, "give one of them another name"))
    return problems


def problem_line(problem: Mapping[str, Any]) -> str:
    """A problem as compilers write it: file:line:column: error: message (fix)."""
    place = f"{problem['file']}:{problem['line']}:{problem['column']}"
    fix = f" ({problem['fix']})" if problem.get("fix") else ""
    return f"{place}: {problem['severity']}: {problem['message']}{fix}"
