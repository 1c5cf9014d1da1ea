"""Values that know where they stand in their file, and what is wrong with a file. No YAML library here."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

_ESCAPES = {"x": 2, "u": 4, "U": 8}
_BLANK_ESCAPES = frozenset("ntr _NLP\n\t")


class Mark(NamedTuple):
    """A place in a file, both from 1, in characters."""

    line: int
    column: int


START = Mark(1, 1)


class YamlFault(ValueError):
    """The text is no YAML that we take: what is wrong, where, and what would be right."""

    def __init__(self, message: str, fix: str, mark: Mark) -> None:
        super().__init__(message)
        self.fix = fix
        self.mark = mark


@dataclass(frozen=True, slots=True)
class Value:
    """One value. `data`: text, number, bool, None, a tuple of Values, or a dict of text to Value."""

    data: Any
    mark: Mark
    keys: dict[str, Mark] = field(default_factory=dict)
    """Of a map: where each key stands."""
    text: str = ""
    """Of a scalar: what is written, before a plain one became a number, bool or null."""
    source: str = ""
    """Of a scalar: the file from its first to its last character, quotes and all."""
    size: int = 1
    """How many values this is, with all below."""

    def plain(self) -> Any:
        """The JSON value, without places."""
        if isinstance(self.data, dict):
            return {key: value.plain() for key, value in self.data.items()}
        if isinstance(self.data, tuple):
            return [value.plain() for value in self.data]
        return self.data

    def place(self, offset: int) -> Mark:
        """Where in the file the character at `offset` of this text stands; else where the text begins."""
        at = _walk(self.source, self.text, offset)
        return self.mark if at < 0 else mark_at(self.source, at, self.mark)


def mark_at(text: str, index: int, begin: Mark = START) -> Mark:
    """Where the character at `index` stands in a text that begins at `begin`."""
    line = text.count("\n", 0, index)
    if line == 0:
        return Mark(begin.line, begin.column + index)
    return Mark(begin.line + line, index - text.rfind("\n", 0, index))


def _walk(source: str, text: str, offset: int) -> int:
    """The index in `source` of `text[offset]`; -1 where the two do not agree.

    Both are walked side by side. Blanks count for nothing, since folding and indentation change them.
    """
    style = source[:1] if source[:1] in ("'", '"', "|", ">") else ""
    at = source.find("\n") + 1 if style in ("|", ">") else len(style)
    for wanted in text[:offset]:
        if wanted.isspace():
            continue
        at = _skip_blanks(source, at, style)
        length = _length(source, at, style)
        if length == 1 and source[at : at + 1] != wanted:
            return -1
        at += length
    at = _skip_blanks(source, at, style)
    return at if at < len(source) else -1


def _skip_blanks(source: str, at: int, style: str) -> int:
    while at < len(source):
        if source[at].isspace():
            at += 1
        elif style == '"' and source[at] == "\\" and source[at + 1 : at + 2] in _BLANK_ESCAPES:
            at += 2
        else:
            break
    return at


def _length(source: str, at: int, style: str) -> int:
    """How many characters of the source stand for the one at `at`."""
    if style == "'" and source.startswith("''", at):
        return 2
    if style == '"' and source.startswith("\\", at):
        return 2 + _ESCAPES.get(source[at + 1 : at + 2], 0)
    return 1
