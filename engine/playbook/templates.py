"""Text with `${{ expression }}` inside, taken apart. What the parts become is in `engine.playbook.rendering`.

An expression ends at the first `}}` outside its strings and braces. Only text of the playbook is ever taken
apart: what comes out of an expression is never looked at again.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

OPENING, CLOSING = "${{", "}}"
SECRET = re.compile(r"\bsecrets\.([A-Za-z_][A-Za-z0-9_]{0,127})")
"""How a secret is named in an expression."""
_TOKEN = re.compile(
    r"""(?P<string>[rR]?(?:'{3}|"{3}|'|"))|(?P<comment>//[^\n]*)|(?P<close>\}\})|(?P<open>\{)|(?P<shut>\})""",
    re.X,
)


class TemplateError(ValueError):
    """A placeholder is not closed. `offset` in characters of the whole text."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.offset = offset


@dataclass(frozen=True, slots=True)
class Placeholder:
    """An expression, without the blanks around it; `offset` in characters of the whole text."""

    text: str
    offset: int

    @property
    def secret(self) -> str:
        """The secret's name where this is `secrets.NAME`, else empty."""
        found = SECRET.fullmatch(self.text)
        return found[1] if found else ""


@lru_cache(maxsize=8_192)
def parse(text: str) -> tuple[str | Placeholder, ...]:
    """Literal pieces (never empty) and placeholders, in order. Raises TemplateError."""
    parts: list[str | Placeholder] = []
    at = 0
    while (start := text.find(OPENING, at)) >= 0:
        if start > at:
            parts.append(text[at:start])
        begin = start + len(OPENING)
        end = _end(text, begin)
        if end < 0:
            raise TemplateError("`${{` is not closed by `}}`", start)
        inside = text[begin:end]
        parts.append(Placeholder(inside.strip(), begin + len(inside) - len(inside.lstrip())))
        at = end + len(CLOSING)
    if at < len(text):
        parts.append(text[at:])
    return tuple(parts)


def is_template(text: str) -> bool:
    """Whether there is any placeholder in it."""
    return OPENING in text


def _end(text: str, at: int) -> int:
    """Where the closing braces of the expression that begins at `at` are; -1 where there are none."""
    depth = 0
    while found := _TOKEN.search(text, at):
        at = found.end()
        if found["string"]:
            at = _string_end(text, found["string"], at)
        elif found["open"]:
            depth += 1
        elif found["close"] and depth == 0:
            return found.start()
        elif found["close"] or found["shut"]:
            # Inside braces `}}` is two of them; the second may already belong to the placeholder's end.
            at = found.start() + 1
            depth = max(0, depth - 1)
    return -1


def _string_end(text: str, opening: str, at: int) -> int:
    raw, quote = opening[0] in "rR", opening.lstrip("rR")
    while at < len(text):
        if text[at] == "\\" and not raw:
            at += 2
        elif text.startswith(quote, at):
            return at + len(quote)
        else:
            at += 1
    return at
