"""What a `when` cannot be true without, read from its checked expression: comparisons of what an alert says
with texts that stand in it.

Only ever too little: what is not understood asks nothing. An expression that fails is not true either, so a
need may be unmet where asking would be an error: who compares a tag needs the tag. Who uses it to rule out
playbooks is `engine.matching_index`.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import product
from typing import Any, Literal, NamedTuple

from engine.expressions_syntax import (
    CALL,
    CALL_ARGUMENT,
    CALL_FUNCTION,
    CALL_TARGET,
    CONST,
    ID,
    LIST,
    LIST_ELEMENT,
    SELECT,
    SELECT_FIELD,
    SELECT_OPERAND,
    SELECT_TEST,
    STRING_CONST,
    Checked,
)
from engine.expressions_values import clean_text, split_tags
from engine.expressions_wire import BYTES, Field, first, first_int, read
from engine.playbook.names import ALERT_NAMES

NEEDS_MAX = 4
"""Needs of one expression; more would rule out little more."""
_ALTERNATIVES_MAX = 32
"""Alternatives of one need; one with more is left out."""
_TAG_MAPS = frozenset({"alert.tags", "alert.group"})
_TAG_LIST = "alert.tag_list"
_TEXTS = frozenset(name for name, kind in ALERT_NAMES.items() if kind == "string")
Part = Literal["text", "lower", "tag", "keys", "items"]
Test = Literal["is", "contains", "startsWith", "endsWith"]
_TESTS: Mapping[bytes, Test] = {
    b"contains": "contains",
    b"startsWith": "startsWith",
    b"endsWith": "endsWith",
}


class Source(NamedTuple):
    """Where in an alert the text is: a name's text (`lower`: in small ASCII letters), the value of one tag,
    the keys of a tag map, the items of a list.
    """

    part: Part
    name: str
    key: str = ""
    """Of the tag."""
    otherwise: str | None = None
    """What stands for a tag that is missing."""


class Atom(NamedTuple):
    """One comparison: true if one of the texts of `source` passes."""

    source: Source
    test: Test
    value: str


Need = tuple[Atom, ...]
"""At least one of them is true where the expression is."""


def needs_of(checked: Checked) -> tuple[Need, ...]:
    """All of these hold where the expression is true; the most telling ones, if there are many."""
    found = dict.fromkeys(_Reader(checked).needs(checked.expr))
    return tuple(sorted(found, key=_vagueness)[:NEEDS_MAX])


def texts_of(source: Source, scope: Mapping[str, Any]) -> tuple[str, ...]:
    """What an alert says there, as expressions see it. `scope`: that of `engine.alert.scope`."""
    value = scope[source.name]
    match source.part:
        case "text":
            return (clean_text(value),)
        case "lower":
            return (clean_text(value).encode().lower().decode(),)
        case "items":
            return tuple(clean_text(one) for one in value)
        case "keys":
            return tuple(split_tags(value)[0])
        case "tag":
            text = split_tags(value)[0].get(source.key, source.otherwise)
            return () if text is None else (text,)


def passing(test: Test, text: str, atoms: Iterable[Atom]) -> list[Atom]:
    """Those of the atoms that a text of the alert passes. `test`: that of all of them."""
    match test:
        case "is":
            return [atom for atom in atoms if atom.value == text]
        case "contains":
            return [atom for atom in atoms if atom.value in text]
        case "startsWith":
            return [atom for atom in atoms if text.startswith(atom.value)]
        case "endsWith":
            return [atom for atom in atoms if text.endswith(atom.value)]


def _vagueness(need: Need) -> tuple[bool, int]:
    return any(atom.test != "is" for atom in need), len(need)


class _Call(NamedTuple):
    """A call, or a `has`, taken apart."""

    function: bytes
    operands: tuple[bytes, ...]
    """The target, where there is one, and the arguments."""


class _Reader:
    def __init__(self, checked: Checked) -> None:
        self._checked = checked

    def needs(self, expr: bytes) -> tuple[Need, ...]:
        """What must hold for this part to be true."""
        call = _call(expr)
        match call:
            case _Call(b"_&&_", operands):
                return tuple(need for operand in operands for need in self.needs(operand))
            case _Call(b"_||_", (one, other)):
                return _either(self.needs(one), self.needs(other))
            case _Call(b"_==_", (one, other)):
                found = self._compared("is", one, other) or self._compared("is", other, one)
            case _Call(b"@in", (one, other)):
                found = self._within(one, other)
            case _Call(function, (one, other)) if function in _TESTS:
                found = self._compared(_TESTS[function], one, other)
            case _:
                found = self._has(expr)
        return _needed(found) or self._looked_up(expr)

    def _looked_up(self, expr: bytes) -> tuple[Need, ...]:
        """The tags whose value it takes whatever it makes of them: without one it is an error."""
        source = self._source(expr)
        if source is not None and source.part == "tag":
            return () if source.otherwise is not None else (_known(source),)
        match _call(expr):
            case _Call(b"_&&_" | b"_||_"):
                return ()
            case _Call(b"_?_:_" | b"orValue" | b"or", (always, *_)):
                return self._looked_up(always)
            case _Call(_, operands):
                return tuple(need for operand in operands for need in self._looked_up(operand))
        return ()

    def _compared(self, test: Test, one: bytes, other: bytes) -> list[Atom]:
        source, value = self._source(one), _text(other)
        return [] if source is None or value is None else [Atom(source, test, value)]

    def _within(self, one: bytes, other: bytes) -> list[Atom]:
        """`one in other`: a text in a list or map of the alert's, or the alert's text in a list of texts."""
        name, value = self._name(other), _text(one)
        if value is not None:
            if name == _TAG_LIST:
                return [Atom(Source("items", name), "is", value)]
            return [Atom(Source("keys", name), "is", value)] if name in _TAG_MAPS else []
        source, values = self._source(one), [_text(each) for each in _elements(other)]
        if source is None or any(value is None for value in values):
            return []
        return [Atom(source, "is", value) for value in values if value is not None]

    def _has(self, expr: bytes) -> list[Atom]:
        """`has(alert.tags.team)`."""
        body = _body(expr, SELECT)
        name = self._name(first(body, SELECT_OPERAND))
        if not first_int(body, SELECT_TEST) or name not in _TAG_MAPS:
            return []
        return [Atom(Source("keys", name), "is", first(body, SELECT_FIELD).decode())]

    def _source(self, expr: bytes) -> Source | None:
        name = self._name(expr)
        if name in _TEXTS:
            return Source("text", name)
        match _call(expr):
            case _Call(b"lowerAscii", (inner,)) if (text := self._name(inner)) in _TEXTS:
                return Source("lower", text)
            case _Call(b"_[_]", (tags, key)):
                return self._tag(tags, _text(key))
            case _Call(b"orValue", (optional, otherwise)):
                return self._optional_tag(optional, _text(otherwise))
        body = _body(expr, SELECT)
        if body and not first_int(body, SELECT_TEST):
            return self._tag(first(body, SELECT_OPERAND), first(body, SELECT_FIELD).decode())
        return None

    def _optional_tag(self, expr: bytes, otherwise: str | None) -> Source | None:
        """`alert.tags[?'team']` and `alert.tags.?team`, with what stands for a missing one."""
        match _call(expr):
            case _Call(b"_[?_]" | b"_?._", (tags, key)) if otherwise is not None:
                return self._tag(tags, _text(key), otherwise)
        return None

    def _tag(self, tags: bytes, key: str | None, otherwise: str | None = None) -> Source | None:
        name = self._name(tags)
        return Source("tag", name, key, otherwise) if name in _TAG_MAPS and key is not None else None

    def _name(self, expr: bytes) -> str:
        """The alert's name that this is, or nothing."""
        return self._checked.names.get(first_int(read(expr), ID), "")


def _known(tag: Source) -> Need:
    return (Atom(Source("keys", tag.name), "is", tag.key),)


def _needed(atoms: Iterable[Atom]) -> tuple[Need, ...]:
    """One need of these alternatives; no alternatives: nothing was understood."""
    found = tuple(dict.fromkeys(atoms))
    return (found,) if 0 < len(found) <= _ALTERNATIVES_MAX else ()


def _either(ones: tuple[Need, ...], others: tuple[Need, ...]) -> tuple[Need, ...]:
    """What holds where one side is true: of each pair of needs one."""
    pairs = product(sorted(ones, key=_vagueness)[:NEEDS_MAX], sorted(others, key=_vagueness)[:NEEDS_MAX])
    return tuple(need for one, other in pairs for need in _needed((*one, *other)))


def _call(expr: bytes) -> _Call | None:
    body = _body(expr, CALL)
    operands = [first(body, CALL_TARGET)] if any(number == CALL_TARGET for number, _, _ in body) else []
    operands += [value for number, _, value in body if number == CALL_ARGUMENT and isinstance(value, bytes)]
    return _Call(first(body, CALL_FUNCTION), tuple(operands)) if body else None


def _elements(expr: bytes) -> Iterator[bytes]:
    """The items of a list that is written out; of anything else the thing itself, which is no text."""
    body = _body(expr, LIST)
    found = [value for number, _, value in body if number == LIST_ELEMENT and isinstance(value, bytes)]
    yield from found or (expr,)


def _text(expr: bytes) -> str | None:
    """A text that is written out."""
    for number, wire, value in _body(expr, CONST):
        if number == STRING_CONST and wire == BYTES and isinstance(value, bytes):
            return value.decode()
    return None


def _body(expr: bytes, kind: int) -> list[Field]:
    return next(
        (read(body) for number, _, body in read(expr) if number == kind and isinstance(body, bytes)), []
    )
