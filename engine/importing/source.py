"""The source of an import: what is asked of its values, and the comments that stand in it."""

import re
from typing import Any

from engine.importing.names import Names
from engine.importing.notes import Notes
from engine.importing.templates import in_text
from engine.playbook.problems import Problems
from engine.playbook.reading_trigger import RESERVED
from engine.yaml_values import Mark, Value
from engine.yaml_writing import Commented

_COMMENTS_MAX = 20
_TAKEN = frozenset(
    {"alert", "inputs", "vars", "steps", "run", "failure", "item", "index", "secrets", "output"}
    | {"keys", "entries", "json", "size", "has", "math", "optional", "each", "each_2"}
)
"""Words that mean something else in expressions, ours or those that translations use."""
_TRUE = frozenset({"true", "yes", "on"})
NAME_MAX = 60


class Source:
    """One file that is imported, and what was found out about it so far."""

    def __init__(self, text: str, problems: Problems) -> None:
        self.problems = problems
        self.notes = Notes()
        self.names = Names()
        self._lines = text.removeprefix("\ufeff").split("\n")
        self._taken: set[str] = set()
        self._said: set[str] = set()

    def comments_above(self, value: Value) -> tuple[str, ...]:
        """The comment lines right above an item of a list, not indented more than its dash."""
        at = value.mark.line - 2
        dash = value.mark.column - 3
        found: list[str] = []
        while 0 <= at < len(self._lines) and len(found) < _COMMENTS_MAX:
            line = self._lines[at].rstrip("\r")
            inside = line.lstrip(" ")
            if not inside.startswith("#") or len(line) - len(inside) > max(dash, 0):
                break
            found.append(inside.lstrip("#").strip())
            at -= 1
        return tuple(comment for comment in reversed(found) if comment)

    def unique(self, name: str, otherwise: str) -> tuple[str, bool]:
        """A name that expressions can use and nobody has; and whether somebody had it."""
        plain = re.sub(r"[^A-Za-z0-9_]+", "_", name).strip("_")[:NAME_MAX] or otherwise
        if plain[0].isdigit() or plain in RESERVED:
            plain = f"{otherwise}_{plain}"[:NAME_MAX]
        found, number = plain, 1
        while found in self._taken:
            number += 1
            found = f"{plain}_{number}"
        self._taken.add(found)
        return found, number > 1

    def variable(self, name: str) -> str:
        """The variable of a loop: no name that expressions have already, nor that of a loop around."""
        plain = re.sub(r"[^A-Za-z0-9_]+", "_", name).strip("_")[:NAME_MAX] or "value"
        if plain[0].isdigit() or plain in RESERVED | _TAKEN:
            plain = f"the_{plain}"
        while plain in {loop.variable for loop in self.names.loops}:
            plain += "_2"
        return plain

    def once(self, mark: Mark, message: str) -> tuple[str, ...]:
        """A note at the first place that it is about, and not at the others."""
        if message in self._said:
            return ()
        self._said.add(message)
        return (self.notes.add(mark, message),)

    def text(self, value: Value) -> Any:
        """A scalar with templates as text with placeholders, with its notes above it."""
        translated = in_text(scalar_text(value), self.names)
        notes = tuple(self.notes.add(value.mark, remark) for remark in translated.remarks)
        return Commented(translated.text, notes) if notes else translated.text

    def values(self, value: Value) -> Any:
        """A value with all below it, its scalars as `text`."""
        if isinstance(value.data, dict):
            return {key: self.values(item) for key, item in value.data.items()}
        if isinstance(value.data, tuple):
            return [self.values(item) for item in value.data]
        return self.text(value)

    def ignored(self, value: Value, known: tuple[str, ...], of_what: str) -> tuple[str, ...]:
        """Notes of the keys that are not among the known ones."""
        unknown = [key for key in (value.data if isinstance(value.data, dict) else ()) if key not in known]
        return tuple(
            self.notes.add(value.keys[key], f"the key `{key}` of {of_what} is left out") for key in unknown
        )


def scalar_text(value: Value | None) -> str:
    """What is written, whatever YAML makes of it; empty for nothing, a list or a map."""
    if value is None or value.data is None or isinstance(value.data, tuple | dict):
        return ""
    return value.data if isinstance(value.data, str) else value.text


def below(value: Value | None, key: str) -> Value | None:
    """The value below a key; None where there is none."""
    return value.data.get(key) if value is not None and isinstance(value.data, dict) else None


def text_below(value: Value | None, key: str) -> str:
    """The text below a key."""
    return scalar_text(below(value, key))


def is_set(value: Value | None) -> bool:
    """Whether a switch is on, as YAML 1.1 took it."""
    return scalar_text(value).lower() in _TRUE
