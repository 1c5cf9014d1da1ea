"""Values as YAML that a person would have written: block style, comments above what they are about.

What is written is read again as the same value (`engine.yaml_text`). Nothing of playbooks is known here.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

WIDTH = 110
"""Columns after which a comment goes on in the next line, and a short list is no longer one."""
_INDENT = "  "
_PLAIN = re.compile(r"[A-Za-z0-9_/$.(][^\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff]*")
"""What may stand without quotes, as far as its characters go. `$` begins placeholders."""
_OTHER_VALUE = re.compile(
    r"~|null|true|false|[-+]?\.(inf|nan)|[-+.]?[0-9][-+.0-9_:]*(e[-+]?[0-9]*)?|0[xo][0-9a-f_]+|yes|no|on|off|y|n",
    re.IGNORECASE,
)
"""What some reader takes for something else than text."""
_ON = "on"
"""The one of those words that is written bare as a key: here it is text, and every playbook has it."""
_WORD = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_ ./@-]*")
_BLOCK = re.compile(r"[^\x00-\x09\x0b-\x1f\x7f-\xa0\u2028\u2029\ufeff\ud800-\udfff]*")


@dataclass(frozen=True, slots=True)
class Commented:
    """A value with comments, lines of text, that stand above it (above its key or dash)."""

    value: Any
    comments: tuple[str, ...] = ()


def bare(value: Any) -> Any:
    """The value alone, whatever comments are around and below it."""
    if isinstance(value, Commented):
        return bare(value.value)
    if isinstance(value, Mapping):
        return {key: bare(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [bare(item) for item in value]
    return value


def write_yaml(value: Mapping[str, Any]) -> str:
    """A map of maps, lists, text, numbers, bools and None, any of them `Commented`, as a document."""
    return "\n".join(_map_lines(value)) + "\n"


def _map_lines(items: Mapping[str, Any]) -> Iterator[str]:
    for key, given in items.items():
        value, comments = _opened(given)
        yield from _comment_lines(comments)
        yield from _entry(f"{key if key == _ON else _scalar(key)}:", value)


def _list_lines(items: Sequence[Any]) -> Iterator[str]:
    for given in items:
        value, comments = _opened(given)
        yield from _comment_lines(comments)
        if isinstance(value, Mapping) and value:
            for at, line in enumerate(_map_lines(value)):
                yield ("- " if at == 0 else _INDENT) + line if line else line
        elif isinstance(value, list | tuple) and value and not _is_short(value):
            yield "-"
            yield from _indented(_list_lines(value))
        else:
            yield from _entry("-", value)


def _entry(begin: str, value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        yield begin if value else f"{begin} {{}}"
        yield from _indented(_map_lines(value))
    elif isinstance(value, list | tuple):
        if _is_short(value):
            yield f"{begin} [{', '.join(_scalar(bare(item)) for item in value)}]"
        else:
            yield begin
            yield from _indented(_list_lines(value))
    elif isinstance(value, str) and _is_block(value):
        text = value.rstrip("\n")
        yield f"{begin} |{_chomping(value, text)}"
        yield from _indented(iter(text.split("\n") + [""] * (len(value) - len(text) - 1)))
    else:
        yield f"{begin} {_scalar(value)}"


def _opened(given: Any) -> tuple[Any, tuple[str, ...]]:
    comments: tuple[str, ...] = ()
    while isinstance(given, Commented):
        comments += given.comments
        given = given.value
    return given, comments


def _indented(lines: Iterator[str]) -> Iterator[str]:
    return (_INDENT + line if line else line for line in lines)


def _comment_lines(comments: Sequence[str]) -> Iterator[str]:
    for comment in comments:
        line = "#"
        for word in "".join(sign if sign.isprintable() else " " for sign in comment).split():
            if len(line) > 1 and len(line) + len(word) >= WIDTH:
                yield line
                line = "#  "
            line += f" {word}"
        yield line


def _is_short(items: Sequence[Any]) -> bool:
    """Whether a list is written in one line: a few words, without comments."""
    if not all(isinstance(item, str | int | float | bool) for item in items):
        return False
    texts = [item for item in items if isinstance(item, str)]
    return all(_WORD.fullmatch(text) for text in texts) and sum(len(str(item)) + 2 for item in items) < 80


def _is_block(text: str) -> bool:
    """Whether text is written below a `|`: several lines, none of which YAML would change."""
    first = text.lstrip("\n").split("\n")[0]
    return (
        "\n" in text.rstrip("\n")
        and _BLOCK.fullmatch(text) is not None
        and not text.startswith("\n")
        and not first.startswith(" ")
        and all(line == "" or line.strip(" ") for line in text.split("\n"))
    )


def _chomping(value: str, text: str) -> str:
    ends = len(value) - len(text)
    return "-" if ends == 0 else "" if ends == 1 else "+"


def _scalar(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        return repr(value)
    if _is_plain(value):
        return value
    if "'" not in value and "\\" not in value and value.isprintable() and '"' in value:
        return f"'{value}'"
    return '"' + "".join(_escaped(sign) for sign in value) + '"'


def _is_plain(text: str) -> bool:
    if not _PLAIN.fullmatch(text) or _OTHER_VALUE.fullmatch(text) or text != text.strip():
        return False
    return ": " not in text and " #" not in text and not text.endswith(":") and not text.startswith("---")


def _escaped(sign: str) -> str:
    named = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
    if sign in named:
        return named[sign]
    if sign.isprintable():
        return sign
    code = ord(sign)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
