"""YAML 1.2 text to values that know where they stand. The one file that imports the YAML library.

Core schema: `on`, `yes`, `no`, dates and `1_000` are text. Refused, with the place and the way out: tags (a
leading `!`), two documents, a key given twice, merge keys, anchors that grow out of bounds. What the values
mean is not known here.
"""

import re
from collections.abc import Iterator
from typing import Any

from ruamel.yaml import YAML, events
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.reader import ReaderError

from engine.yaml_faults import character_fault, library_fault
from engine.yaml_values import Mark, Value, YamlFault

SIZE_MAX_BYTES = 256 * 1024
DEPTH_MAX = 40
VALUES_MAX = 20_000
"""Values of a file, those behind an alias counted each time."""
_INT_BOUND = 2**63
_DIGITS_MAX = 64
"""Characters of a number, so that none is slow to read."""
_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_TRUE, _FALSE = frozenset({"true", "True", "TRUE"}), frozenset({"false", "False", "FALSE"})
_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_START = Mark(1, 1)


def read_yaml(text: str, bytes_max: int = SIZE_MAX_BYTES) -> Value:
    """The one document of a file. Raises YamlFault."""
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > bytes_max:
        raise YamlFault(f"the file has {size} bytes, more than {bytes_max}", "make two of it", _START)
    text = text.removeprefix("\ufeff")
    try:
        return _Composer(text, iter(YAML(typ="safe", pure=True).parse(text))).document()
    except MarkedYAMLError as error:
        at, context_at = (_mark(mark) for mark in (error.problem_mark, error.context_mark))
        raise library_fault(error.problem or "", at, error.context or "", context_at, text) from error
    except ReaderError as error:
        raise character_fault(text, error.position) from error
    except (YAMLError, ValueError, IndexError, AssertionError, AttributeError) as error:
        if isinstance(error, YamlFault):
            raise
        raise YamlFault("this is not YAML", "see https://yaml.org", _START) from error


class _Composer:
    """Makes values of the library's events, one document, in bounds."""

    def __init__(self, text: str, stream: Iterator[Any]) -> None:
        self._text = text
        self._events = stream
        self._anchors: dict[str, Value | None] = {}
        """None while the value is still being read."""

    def document(self) -> Value:
        """The document."""
        next(self._events)  # the stream's start
        first = next(self._events)
        if not isinstance(first, events.DocumentStartEvent):
            raise YamlFault("the file is empty", "write at least `playbook`, `on` and `steps`", _START)
        if first.version not in (None, (1, 2)) or first.tags:
            raise YamlFault("directives other than %YAML 1.2", "remove them", _mark(first.start_mark))
        value = self._value(next(self._events), 1)
        next(self._events)  # the document's end
        after = next(self._events)
        if isinstance(after, events.DocumentStartEvent):
            raise YamlFault("a second document", "one file is one playbook", _mark(after.start_mark))
        return value

    def _value(self, event: Any, depth: int) -> Value:
        mark = _mark(event.start_mark)
        if isinstance(event, events.AliasEvent):
            return self._alias(event.anchor, mark)
        if event.ctag is not None:
            raise YamlFault("YAML takes a leading `!` for a tag", "put the text in quotes", mark)
        if depth > DEPTH_MAX:
            raise YamlFault(f"more than {DEPTH_MAX} levels", "make it flatter", mark)
        if event.anchor is not None:
            self._anchors[event.anchor] = None
        if isinstance(event, events.ScalarEvent):
            value = self._scalar(event, mark)
        elif isinstance(event, events.SequenceStartEvent):
            value = self._list(mark, depth)
        else:
            value = self._map(mark, depth)
        if event.anchor is not None:
            self._anchors[event.anchor] = value
        return value

    def _alias(self, anchor: str, mark: Mark) -> Value:
        if anchor not in self._anchors:
            raise YamlFault(
                f"`*{anchor}` names an anchor that does not exist", "put the text in quotes", mark
            )
        value = self._anchors[anchor]
        if value is None:
            raise YamlFault(f"`*{anchor}` stands inside its own anchor", "write it out", mark)
        return value

    def _scalar(self, event: Any, mark: Mark) -> Value:
        text: str = event.value
        data = text if event.style else _resolved(text, mark)
        return Value(data, mark, text=text, source=self._text[event.start_mark.index : event.end_mark.index])

    def _list(self, mark: Mark, depth: int) -> Value:
        items: list[Value] = []
        size = 1
        while not isinstance(event := next(self._events), events.SequenceEndEvent):
            items.append(self._value(event, depth + 1))
            size = _bounded(size + items[-1].size, mark)
        return Value(tuple(items), mark, size=size)

    def _map(self, mark: Mark, depth: int) -> Value:
        items: dict[str, Value] = {}
        keys: dict[str, Mark] = {}
        size = 1
        while not isinstance(event := next(self._events), events.MappingEndEvent):
            at = _mark(event.start_mark)
            if not isinstance(event, events.ScalarEvent):
                raise YamlFault("a key that is no text", "keys are text", at)
            key: str = event.value
            if event.ctag is not None:
                raise YamlFault("YAML takes a leading `!` for a tag", "put the key in quotes", at)
            if key == "<<" and not event.style:
                raise YamlFault("merge keys (`<<`) are not part of YAML 1.2", "write the keys out", at)
            if key in items:
                raise YamlFault(f"the key `{key}` is given twice", f"first in line {keys[key].line}", at)
            keys[key] = at
            items[key] = self._value(next(self._events), depth + 1)
            size = _bounded(size + items[key].size, mark)
        return Value(items, mark, keys=keys, size=size)


def _bounded(size: int, mark: Mark) -> int:
    if size > VALUES_MAX:
        raise YamlFault(f"more than {VALUES_MAX} values, counting each use of an anchor", "use fewer", mark)
    return size


def _mark(mark: Any) -> Mark:
    return _START if mark is None else Mark(mark.line + 1, mark.column + 1)


def _resolved(text: str, mark: Mark) -> Any:
    """A plain scalar by the core schema."""
    if text in _NULL:
        return None
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    if _NOT_FINITE.fullmatch(text):
        raise YamlFault(f"{text} is no number that JSON knows", "put it in quotes if it is text", mark)
    if _INT.fullmatch(text):
        if len(text) > _DIGITS_MAX:
            raise YamlFault("a whole number of more than 64 bits", "put it in quotes if it is text", mark)
        number = int(text, 0) if text[1:2] in ("o", "x") else int(text)
        if -_INT_BOUND <= number < _INT_BOUND:
            return number
        raise YamlFault("a whole number of more than 64 bits", "put it in quotes if it is text", mark)
    if _FLOAT.fullmatch(text):
        real = float(text)
        if real - real == 0.0:
            return real
        raise YamlFault("a number out of range", "put it in quotes if it is text", mark)
    return text
