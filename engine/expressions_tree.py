"""What a checked expression uses, and the two guards that are put into it before it runs.

The CEL library gives a checked expression as bytes (`cel.expr.CheckedExpr` of the CEL specification, packed
in a `google.protobuf.Any`). Reading them tells which names an expression uses, and where. Two things that the
library would let pass are stopped here:

- The order of a map, which differs from process to process. `map` and `filter` over a map are refused: where
  the type is known it is reported (`map_loops`), where it is not the range R becomes `R + []`, which only a
  list survives. The other loops (`all`, `exists`, `exists_one`) go over a map's sorted keys, so that even
  their errors are the same.
- `tags['env']` where the tag has several values: in `tags[K]`, `tags[?K]`, `tags.K` and `tags.?K` the map
  becomes `(K in several) ? several_values(K) : tags`, where `several` lists the keys that have more than one
  value.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import NamedTuple

from engine.expressions_syntax import (
    ANY_VALUE,
    CALL,
    CALL_FUNCTION,
    CHILDREN,
    CONST,
    ENTRY_CHILDREN,
    EXPR,
    ID,
    IDENT,
    LIST,
    LOOP,
    LOOP_RANGE,
    LOOP_START,
    SELECT,
    SELECT_TEST,
    STRING_CONST,
    STRUCT,
    Checked,
    node_id,
)
from engine.expressions_wire import BYTES, VARINT, Field, first, first_int, read, write

SEVERAL = "@several"
"""Ending of the name under which the keys with several values of a tag map are handed in."""
SEVERAL_VALUES = "@several_values"
"""Name of the function that always fails, saying which tag has several values."""
SORTED_KEYS = "@sorted_keys"
"""Name of the function that gives the keys of any map, sorted."""

_LOOKUPS = frozenset({b"_[_]", b"_[?_]", b"_?._"})


class Use(NamedTuple):
    """A name that an expression uses; `offset` in characters, where the name begins."""

    name: str
    offset: int


@dataclass(frozen=True, slots=True)
class Reading:
    """`map_loops`: offsets of `map` and `filter` over maps. `guarded`: None where nothing had to change."""

    uses: tuple[Use, ...]
    map_loops: tuple[int, ...]
    guarded: bytes | None


def read_checked(checked: Checked, names: Collection[str], tag_maps: Collection[str]) -> Reading:
    """Reads a checked expression. `names` are the declared ones, `tag_maps` those to guard."""
    walk = _Walk(checked, names, tag_maps)
    expr = walk.expr(checked.expr)
    guarded = None
    if walk.changed:
        body: list[Field] = [(n, w, expr if n == EXPR else v) for n, w, v in checked.fields]
        guarded = write([(n, w, write(body) if n == ANY_VALUE else v) for n, w, v in checked.outer])
    uses = sorted(walk.uses, key=lambda use: (use.offset, use.name))
    return Reading(tuple(uses), tuple(sorted(walk.map_loops)), guarded)


class _Walk:
    """One pass over the tree, which makes the guarded tree on its way."""

    def __init__(self, checked: Checked, names: Collection[str], tag_maps: Collection[str]) -> None:
        self._checked = checked
        self._tag_maps = frozenset(tag_maps)
        self._names = {node: name for node, name in checked.names.items() if name in names}
        # A selection is found at its dot, one before its last part.
        self.uses = {
            Use(name, max(0, checked.offset(node) - len(name.rpartition(".")[0])))
            for node, name in self._names.items()
        }
        self._next_id = checked.last_id + 1
        self.map_loops: set[int] = set()
        self.changed = False

    def expr(self, data: bytes) -> bytes:
        """An Expr, with guards."""
        fields = read(data)
        return write([(n, w, self._kind(n, v) if isinstance(v, bytes) else v) for n, w, v in fields])

    def _kind(self, kind: int, data: bytes) -> bytes:
        children = CHILDREN.get(kind)
        if children is None:
            return data
        fields: list[Field] = []
        for number, wire, value in read(data):
            if number in children and isinstance(value, bytes):
                value = self._entry(value) if kind == STRUCT else self.expr(value)
            fields.append((number, wire, value))
        if kind == LOOP:
            return self._loop(fields)
        if kind == CALL and first(fields, CALL_FUNCTION) in _LOOKUPS:
            return self._lookup(fields)
        if kind == SELECT and not first_int(fields, SELECT_TEST):
            return self._selection(fields)
        return write(fields)

    def _entry(self, data: bytes) -> bytes:
        return write(
            [
                (n, w, self.expr(v) if n in ENTRY_CHILDREN and isinstance(v, bytes) else v)
                for n, w, v in read(data)
            ]
        )

    def _loop(self, fields: list[Field]) -> bytes:
        source = first(fields, LOOP_RANGE)
        kind = self._checked.kind(node_id(source))
        if kind == "list":
            return write(fields)
        if not _is_list(first(fields, LOOP_START)):
            keys = self._call(SORTED_KEYS, [source])
            source = keys if kind == "map" else self._call("_?_:_", [self._is_map(source), keys, source])
        elif kind == "map":
            self.map_loops.add(self._checked.offset(node_id(source)))
        else:
            source = self._call("_+_", [source, self._node(LIST, b"")])
        return write([(n, w, source if n == LOOP_RANGE else v) for n, w, v in fields])

    def _is_map(self, expr: bytes) -> bytes:
        type_of_map = self._call("type", [self._node(STRUCT, b"")])
        return self._call("_==_", [self._call("type", [expr]), type_of_map])

    def _lookup(self, fields: list[Field]) -> bytes:
        arguments = [value for number, _, value in fields if number == 3 and isinstance(value, bytes)]
        if len(arguments) != 2 or not self._is_tag_map(arguments[0]):
            return write(fields)
        guarded = [self._one_value(arguments[0], arguments[1]), arguments[1]]
        kept: list[Field] = [field for field in fields if field[0] != 3]
        return write([*kept, *((3, BYTES, argument) for argument in guarded)])

    def _selection(self, fields: list[Field]) -> bytes:
        operand = first(fields, 1)
        if not self._is_tag_map(operand):
            return write(fields)
        key = self._node(CONST, write([(STRING_CONST, BYTES, first(fields, 2))]))
        guarded = self._one_value(operand, key)
        return write([(n, w, guarded if n == 1 else v) for n, w, v in fields])

    def _is_tag_map(self, expr: bytes) -> bool:
        return self._names.get(node_id(expr)) in self._tag_maps

    def _one_value(self, tags: bytes, key: bytes) -> bytes:
        name = self._names[node_id(tags)]
        several = self._node(IDENT, write([(1, BYTES, (name + SEVERAL).encode())]))
        has_several = self._call("@in", [key, several])
        return self._call("_?_:_", [has_several, self._call(SEVERAL_VALUES, [key]), tags])

    def _call(self, function: str, arguments: list[bytes]) -> bytes:
        fields: list[Field] = [
            (2, BYTES, function.encode()),
            *((3, BYTES, argument) for argument in arguments),
        ]
        return self._node(CALL, write(fields))

    def _node(self, kind: int, body: bytes) -> bytes:
        self.changed = True
        self._next_id += 1
        return write([(ID, VARINT, self._next_id), (kind, BYTES, body)])


def _is_list(expr: bytes) -> bool:
    return any(number == LIST for number, _, _ in read(expr))
