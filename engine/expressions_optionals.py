"""Finds optional values where only a value may stand: inside a list or a map, under `dyn`, as an argument.

The CEL library cannot say an optional value in Python, and where one is inside a map that goes there it reads
memory that is not its own. So an optional value may be unwrapped, chained, compared, chosen between, or put
in with `?`: nothing else. Its type alone does not tell: on a `dyn`, `x[?k]` counts as `dyn`, too.
"""

from collections.abc import Iterator

from engine.expressions_syntax import (
    CALL,
    CALL_ARGUMENT,
    CALL_FUNCTION,
    CALL_TARGET,
    CHILDREN,
    ENTRY_KEY,
    ENTRY_OPTIONAL,
    ENTRY_VALUE,
    ID,
    LIST,
    LIST_OPTIONAL_INDICES,
    LOOP,
    LOOP_RESULT,
    SELECT,
    SELECT_TEST,
    STRUCT,
    Checked,
)
from engine.expressions_wire import Field, first, first_int, read, read_varints

_MAKES = frozenset({b"_?._", b"_[?_]", b"optional.of", b"optional.ofNonZeroValue", b"optional.none", b"or"})
"""Calls that give an optional value whatever they are given."""
_UNWRAPS = frozenset({b"orValue", b"hasValue", b"value", b"or"})
"""Members of an optional value."""
_CHAINS = frozenset({b"_?._", b"_[?_]", b"_[_]"})
"""Calls that take one first, and give one then."""
_COMPARES = frozenset({b"_==_", b"_!=_"})


def misplaced_optionals(checked: Checked) -> list[int]:
    """Offsets of optional values that stand where they must not, in the order of the text."""
    found: list[int] = []
    _look(checked, checked.expr, found)
    return sorted(found)


def is_optional(checked: Checked) -> bool:
    """Whether the whole expression gives an optional value."""
    return _look(checked, checked.expr, [])


def _look(checked: Checked, expr: bytes, found: list[int]) -> bool:
    """Gathers what is misplaced below, and says whether this is an optional value itself."""
    fields = read(expr)
    optional = checked.kind(first_int(fields, ID)) == "optional"
    for kind, _, body in fields:
        if kind not in CHILDREN or not isinstance(body, bytes):
            continue
        parts = read(body)
        function = first(parts, CALL_FUNCTION) if kind == CALL else b""
        optional = optional or function in _MAKES
        for at, (number, child, marked) in enumerate(_children(kind, parts)):
            if not _look(checked, child, found):
                continue
            hands_on = _hands_on(kind, function, number, at)
            optional = optional or (hands_on and not (kind == SELECT and first_int(parts, SELECT_TEST)))
            takes = (function in _UNWRAPS and number == CALL_TARGET) or function in _COMPARES
            takes = takes or (function == b"or" and number == CALL_ARGUMENT)
            if not (hands_on or takes or marked):
                found.append(checked.offset(first_int(read(child), ID)))
    return optional


def _hands_on(kind: int, function: bytes, number: int, at: int) -> bool:
    """Whether an optional value in this place makes its parent one, rightly so."""
    if kind == CALL:
        return (function in _CHAINS and at == 0) or (function == b"_?_:_" and at > 0)
    return kind == SELECT or (kind == LOOP and number == LOOP_RESULT)


def _children(kind: int, parts: list[Field]) -> Iterator[tuple[int, bytes, bool]]:
    """Field number and Expr of every child, and whether it is marked with `?`."""
    marked = read_varints(first(parts, LIST_OPTIONAL_INDICES)) if kind == LIST else []
    values = [(number, value) for number, _, value in parts if number in CHILDREN[kind]]
    for at, (number, value) in enumerate(values):
        if not isinstance(value, bytes):
            continue
        if kind != STRUCT:
            yield number, value, at in marked
            continue
        entry = read(value)
        for part in (ENTRY_KEY, ENTRY_VALUE):
            if child := first(entry, part):
                yield part, child, part == ENTRY_VALUE and bool(first_int(entry, ENTRY_OPTIONAL))
