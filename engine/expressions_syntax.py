"""The parts of a checked expression: field numbers and tables of `cel.expr.CheckedExpr` of CEL.

What is looked for in them is in `expressions_tree` (names, order of maps, tags) and `expressions_optionals`.
"""

from engine.expressions_wire import Field, first, first_int, read

ANY_VALUE = 2
EXPR = 4
_REFERENCES, _TYPES, _SOURCE, _POSITIONS = 2, 3, 5, 4
ID, CONST, IDENT, SELECT, CALL, LIST, STRUCT, LOOP = 2, 3, 4, 5, 6, 7, 8, 9
"""Of an Expr: its id, and its kinds."""
STRING_CONST = 6
SELECT_OPERAND, SELECT_FIELD, SELECT_TEST = 1, 2, 3
CALL_TARGET, CALL_FUNCTION, CALL_ARGUMENT = 1, 2, 3
LIST_ELEMENT, LIST_OPTIONAL_INDICES = 1, 2
STRUCT_ENTRY, ENTRY_KEY, ENTRY_VALUE, ENTRY_OPTIONAL = 2, 3, 4, 5
LOOP_RANGE, LOOP_START, LOOP_CONDITION, LOOP_STEP, LOOP_RESULT = 2, 4, 5, 6, 7
CHILDREN = {
    SELECT: {SELECT_OPERAND},
    CALL: {CALL_TARGET, CALL_ARGUMENT},
    LIST: {LIST_ELEMENT},
    STRUCT: {STRUCT_ENTRY},
    LOOP: {LOOP_RANGE, LOOP_START, LOOP_CONDITION, LOOP_STEP, LOOP_RESULT},
}
"""Kind to the fields that hold an Expr (of a struct: an entry, which holds two)."""
ENTRY_CHILDREN = frozenset({ENTRY_KEY, ENTRY_VALUE})
_LIST_TYPE, _MAP_TYPE, _ABSTRACT_TYPE = 6, 7, 14


class Checked:
    """A checked expression taken apart: types, names and places by the id of a node."""

    def __init__(self, packed: bytes) -> None:
        self.outer = read(packed)
        self.fields = read(first(self.outer, ANY_VALUE))
        self.expr = first(self.fields, EXPR)
        self._types = {key: read(first(entry, 2)) for key, entry in _entries(self.fields, _TYPES)}
        source = read(first(self.fields, _SOURCE))
        self._offsets = {key: first_int(entry, 2) for key, entry in _entries(source, _POSITIONS)}
        references = _entries(self.fields, _REFERENCES)
        self.names = {key: first(read(first(entry, 2)), 1).decode() for key, entry in references}
        self.last_id = max([0, *self._offsets, *self._types])

    def offset(self, node: int) -> int:
        """Where the node stands, in characters."""
        return self._offsets.get(node, 0)

    def kind(self, node: int) -> str:
        """`list`, `map`, `optional`, or empty for all others."""
        for number, _, value in self._types.get(node, ()):
            if number in (_LIST_TYPE, _MAP_TYPE):
                return "list" if number == _LIST_TYPE else "map"
            if number == _ABSTRACT_TYPE and isinstance(value, bytes):
                return "optional" if first(read(value), 1) == b"optional_type" else ""
        return ""


def node_id(expr: bytes) -> int:
    """The id of an Expr."""
    return first_int(read(expr), ID)


def _entries(fields: list[Field], number: int) -> list[tuple[int, list[Field]]]:
    """The entries of a map with int keys."""
    found = [read(value) for at, _, value in fields if at == number and isinstance(value, bytes)]
    return [(first_int(entry, 1), entry) for entry in found]
