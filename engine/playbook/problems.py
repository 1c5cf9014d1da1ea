"""What is wrong with a playbook file, and where. Nothing is decided here."""

from collections.abc import Iterable
from typing import Literal

import msgspec

from engine.expressions_messages import suggestion
from engine.yaml_values import Mark

Severity = Literal["error", "warning"]
PROBLEMS_MAX = 200
"""Problems that are reported of one file; more would help nobody."""


class Problem(msgspec.Struct, frozen=True):
    """One problem. `message` says what is wrong, `fix` what would be right (may be empty)."""

    file: str
    line: int
    column: int
    message: str
    fix: str = ""
    severity: Severity = "error"

    def __str__(self) -> str:
        """`file:line:column: message (fix)`; a warning says so."""
        word = "warning: " if self.severity == "warning" else ""
        return f"{self.file}:{self.line}:{self.column}: {word}{self.message}" + (
            f" ({self.fix})" if self.fix else ""
        )


class Problems:
    """Gathers the problems of one file."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._found: dict[Problem, None] = {}

    def error(self, mark: Mark, message: str, fix: str = "") -> None:
        """Something that keeps the playbook from being accepted."""
        self._add(mark, message, fix, "error")

    def warning(self, mark: Mark, message: str, fix: str = "") -> None:
        """Something that is likely not meant."""
        self._add(mark, message, fix, "warning")

    def _add(self, mark: Mark, message: str, fix: str, severity: Severity) -> None:
        if len(self._found) < PROBLEMS_MAX:
            self._found.setdefault(Problem(self._file, mark.line, mark.column, message, fix, severity))

    @property
    def fatal(self) -> bool:
        """Whether there is any error."""
        return any(problem.severity == "error" for problem in self._found)

    def sorted(self) -> tuple[Problem, ...]:
        """In the order of the file."""
        return tuple(sorted(self._found, key=lambda problem: (problem.line, problem.column, problem.message)))


def nearest(word: str, known: Iterable[str], otherwise: str = "") -> str:
    """A fix: `did you mean ...?`, else what there is, else `otherwise`."""
    names = list(known)
    near = suggestion(word, names).strip(" ()")
    if near:
        return near
    return otherwise or (f"known: {', '.join(names)}" if names else "")
