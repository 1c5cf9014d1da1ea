"""Mends the one kind of broken JSON that Datadog makes: values put into the template without being escaped.

What is mended: a quote or a backslash inside a value; a value that is missing, a bare word, or an
unsubstituted `$NAME`; a comma too many. What is not: anything cut short, and whatever can be read in two
ways, because a playbook acts on the result. So a quote inside a value counts as text, and the value ends at
the first quote that is followed by

- the end of the object (and the end of all, or one of the known keys after it), or
- a comma and a key: any key, where the value had no quote so far, but only a known key
  (`engine.alert.naming`) where it had one: otherwise `"body": "log {"a": "b"}"` would give a key `a` to
  whoever writes log lines.

The same key twice in one object refuses the whole. The result holds `_mended` (its metadata, that is), so
that a playbook and a person can see it. Linear in the size of the text; two levels, as the recommended
payload has; deeper values must be JSON as they stand.
"""

import json
import re
from typing import Any

from engine.alert.naming import is_known_key
from engine.alert.unparsable import Unparsable

MENDED = "_mended"
"""Metadata key that says what was done to the text."""

# Possessive quantifiers (`*+`): a body of spaces must not cost its square.
_SPACE = re.compile(r"[\s\0]*+")
_KEY = re.compile(r'"([^"\\\n]{1,100})"\s*+:')
_NEXT_KEY = re.compile(r'\s*+,\s*+"([^"\\\n]{1,100})"\s*+:')
_END_OF_ALL = re.compile(r"\s*+,?+\s*+\}[\s\0]*+\Z")
_END_OF_INNER = re.compile(r'\s*+,?+\s*+\}\s*+(?:,\s*+"([^"\\\n]{1,100})"\s*+:|,?+\s*+\}[\s\0]*+\Z)')
_BARE = re.compile(r"[^\s,{}\[\]\"]*+")
_ESCAPE = re.compile(r'\\(?:(["\\/bfnrt])|u([0-9a-fA-F]{4}))')
_ESCAPES = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_MARK = re.compile(r'["\\]')
_WORDS = {"true": True, "false": False, "null": None, "": None}
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,17})\Z")
_strict = json.JSONDecoder(strict=False, parse_int=str, parse_constant=str)


class _Hopeless(Exception):
    """The text is cut, or can be read in more than one way. The message says where and why."""


def repaired(text: str) -> dict[str, Any] | Unparsable:
    """The object that a broken JSON text was meant to be, with `_mended` in it; else Unparsable with the
    reason.
    """
    try:
        value, at = _object(text, _spaces(text, 0), outer=True)
    except _Hopeless as hopeless:
        return Unparsable(str(hopeless))
    if _spaces(text, at) != len(text):
        return Unparsable(f"something follows the object at {_position(text, at)}")
    note = "not JSON as it came: quotes, backslashes or missing values were mended"
    inner = value.get("metadata")
    (inner if isinstance(inner, dict) else value)[MENDED] = note
    return value


def _object(text: str, at: int, outer: bool) -> tuple[dict[str, Any], int]:
    if text[at : at + 1] != "{":
        raise _Hopeless(f"no object at {_position(text, at)}")
    found: dict[str, Any] = {}
    at = _spaces(text, at + 1)
    while text[at : at + 1] != "}":
        key = _KEY.match(text, at)
        if key is None:
            raise _Hopeless(f"no key at {_position(text, at)}")
        if key[1] in found:
            raise _Hopeless(f"a key for the second time at {_position(text, at)}")
        found[key[1]], at = _value(text, _spaces(text, key.end()), outer)
        at = _spaces(text, at)
        if text[at : at + 1] == ",":
            at = _spaces(text, at + 1)
        elif text[at : at + 1] != "}":
            raise _Hopeless(f"neither comma nor end at {_position(text, at)}")
    return found, at + 1


def _value(text: str, at: int, outer: bool) -> tuple[Any, int]:
    first = text[at : at + 1]
    if first == '"':
        return _string(text, at + 1, outer)
    if first == "{" and outer:
        return _object(text, at, outer=False)
    if first in ("{", "["):
        try:
            return _strict.raw_decode(text, at)
        except (json.JSONDecodeError, RecursionError):
            raise _Hopeless(f"a nested value that is no JSON at {_position(text, at)}") from None
    bare = _BARE.match(text, at)
    word = bare[0] if bare else ""
    value = int(word) if _NUMBER.match(word) else _WORDS.get(word, word)
    return value, at + len(word)


def _string(text: str, at: int, outer: bool) -> tuple[str, int]:
    """The string that begins after its opening quote, and where it ends."""
    parts: list[str] = []
    quotes_inside = False
    while mark := _MARK.search(text, at):
        parts.append(text[at : mark.start()])
        at = mark.end()
        if mark[0] == "\\":
            escape = _ESCAPE.match(text, mark.start())
            if escape is None:
                parts.append("\\")
                continue
            parts.append(_ESCAPES[escape[1]] if escape[1] else chr(int(escape[2], 16)))
            at = escape.end()
        elif _ends(text, at, outer, quotes_inside):
            return "".join(parts), at
        else:
            quotes_inside = True
            parts.append('"')
    raise _Hopeless("a value that does not end: the text is cut, or its end is unclear")


def _ends(text: str, at: int, outer: bool, quotes_inside: bool) -> bool:
    """Whether the quote before `at` ends its value."""
    following = _NEXT_KEY.match(text, at)
    if following is None and outer:
        return _END_OF_ALL.match(text, at) is not None
    if following is None:
        following = _END_OF_INNER.match(text, at)
        if following is None:
            return False
        if following[1] is None:
            return True
    if not quotes_inside or is_known_key(following[1]):
        return True
    raise _Hopeless(f"a quote that may be text or end a value at {_position(text, at - 1)}")


def _spaces(text: str, at: int) -> int:
    space = _SPACE.match(text, at)
    return space.end() if space else at


def _position(text: str, at: int) -> str:
    line = text.count("\n", 0, at) + 1
    return f"line {line}, column {at - text.rfind(chr(10), 0, at)}"
