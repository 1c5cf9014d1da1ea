"""The functions of Go's templates, of Sprig and of StackPulse, each as the CEL that does the same."""

from collections.abc import Callable, Sequence

from engine.importing.cel import (
    AND,
    ATOM,
    CHOICE,
    OR,
    PRODUCT,
    RELATION,
    SUM,
    Expr,
    as_int,
    as_text,
    binary,
    call,
    chosen,
    element,
    function,
    is_empty,
    is_true,
    joined,
    literal,
    member,
    negated,
    text_literal,
)
from engine.importing.go_tree import NotTranslatable

Arguments = Sequence[Expr]
_UNBOUNDED = 99
_NUMBERS = ("int", "double")


def apply_function(name: str, arguments: Arguments) -> Expr:
    """What the call is in CEL. Raises NotTranslatable."""
    if name not in FUNCTIONS:
        raise NotTranslatable(f"the function `{name}` has no counterpart")
    least, most, made = FUNCTIONS[name]
    if not least <= len(arguments) <= most:
        raise NotTranslatable(f"the function `{name}` with {len(arguments)} arguments")
    return made(arguments)


def _equal(arguments: Arguments) -> Expr:
    first = arguments[0]
    found = [_compared(first, "==", other) for other in arguments[1:]]
    return found[0] if len(found) == 1 else _all_of("||", found, OR)


def _compared(left: Expr, sign: str, right: Expr) -> Expr:
    """A comparison; where one side is text and the other a number, the number is compared as text."""
    if sign in ("==", "!="):
        if left.kind == "string" and right.kind in _NUMBERS:
            right = as_text(right)
        elif right.kind == "string" and left.kind in _NUMBERS:
            left = as_text(left)
    else:
        left, right = (
            as_int(side) if other.kind == "int" else side for side, other in ((left, right), (right, left))
        )
    return binary(left, sign, right, RELATION, "bool")


def _all_of(sign: str, conditions: Sequence[Expr], rank: int) -> Expr:
    return Expr(f" {sign} ".join(condition.at(rank - 1) for condition in conditions), "bool", rank)


def _and(arguments: Arguments) -> Expr:
    if all(argument.kind == "bool" for argument in arguments[:-1]):
        return _all_of("&&", [is_true(argument) for argument in arguments], AND)
    found = arguments[-1]
    for argument in reversed(arguments[:-1]):
        found = chosen(is_true(argument), found, argument)
    return found


def _or(arguments: Arguments) -> Expr:
    if all(argument.kind == "bool" for argument in arguments[:-1]):
        return _all_of("||", [is_true(argument) for argument in arguments], OR)
    return _first_not_empty(arguments)


def _first_not_empty(arguments: Arguments) -> Expr:
    found = arguments[-1]
    for argument in reversed(arguments[:-1]):
        found = chosen(is_empty(argument), found, argument)
    return found


def _folded(arguments: Arguments) -> Expr:
    """Compared without case."""
    left, right = (_lower(argument) for argument in arguments)
    return binary(left, "==", right, RELATION, "bool")


def _lower(value: Expr) -> Expr:
    if isinstance(value.literal, str):
        return text_literal(value.literal.lower())
    return call(value, "lowerAscii", kind="string")


def _kebab(arguments: Arguments) -> Expr:
    found = _lower(as_text(arguments[0]))
    for sign in (" ", "_"):
        found = call(found, "replace", text_literal(sign), text_literal("-"), kind="string")
    return found


def _index(arguments: Arguments) -> Expr:
    found = arguments[0]
    for key in arguments[1:]:
        if isinstance(key.literal, str):
            found = member(found, key.literal)
        elif isinstance(key.literal, int):
            found = element(found, key.literal)
        else:
            found = Expr(f"{found.at(ATOM)}[{key.at(CHOICE)}]")
    return found


def _join(arguments: Arguments) -> Expr:
    separator, items = arguments if len(arguments) == 2 else (text_literal(""), arguments[0])
    texts = Expr(f"{items.at(ATOM)}.map(each, string(each))", "list")
    return call(texts, "join", separator, kind="string")


def _slice(arguments: Arguments) -> Expr:
    if arguments[0].kind != "string":
        raise NotTranslatable("`slice` of what may be a list")
    text = arguments[0]
    if len(arguments) == 3:
        # The library refuses an end that is the text's own; with a blank more it is not.
        text = binary(text, "+", text_literal(" "), SUM, "string")
    return call(text, "substring", *arguments[1:], kind="string")


def _printf(arguments: Arguments) -> Expr:
    """`%s`, `%v` and `%d` alone; anything else is looked at by a person."""
    pattern = arguments[0].literal
    if not isinstance(pattern, str):
        raise NotTranslatable("`printf` whose pattern is no literal text")
    parts: list[Expr] = []
    rest = list(arguments[1:])
    for at, piece in enumerate(pattern.replace("%%", "\0").split("%")):
        if at:
            if piece[:1] not in tuple("svd") or not rest:
                raise NotTranslatable(f"`printf` with `%{piece[:1]}`")
            parts.append(rest.pop(0))
            piece = piece[1:]
        if piece:
            parts.append(text_literal(piece.replace("\0", "%")))
    if rest:
        raise NotTranslatable("`printf` with more values than its pattern takes")
    return joined(parts)


def _quoted(arguments: Arguments) -> Expr:
    return function("json", as_text(arguments[0]), "string")


def _single_quoted(arguments: Arguments) -> Expr:
    return joined([text_literal("'"), as_text(arguments[0]), text_literal("'")])


def _split(arguments: Arguments) -> Expr:
    return call(arguments[1], "split", arguments[0], kind="list")


def _map(arguments: Arguments) -> Expr:
    if len(arguments) % 2:
        raise NotTranslatable("`dict` with a key and no value")
    pairs = [
        f"{key.at(OR)}: {value.at(CHOICE)}"
        for key, value in zip(arguments[::2], arguments[1::2], strict=True)
    ]
    return Expr("{" + ", ".join(pairs) + "}", "dyn")


def _list(arguments: Arguments) -> Expr:
    return Expr("[" + ", ".join(argument.at(CHOICE) for argument in arguments) + "]", "list")


def _calculated(sign: str, rank: int) -> Callable[[Arguments], Expr]:
    def made(arguments: Arguments) -> Expr:
        found = as_int(arguments[0])
        for argument in arguments[1:]:
            found = binary(found, sign, as_int(argument), rank, "int")
        return found

    return made


def _on_text(name: str, kind: str = "string") -> Callable[[Arguments], Expr]:
    """A function whose last argument is the text it works on, as a call on that text."""

    def made(arguments: Arguments) -> Expr:
        return call(as_text(arguments[-1]), name, *arguments[:-1], kind=kind)

    return made


def _ordered(sign: str) -> Callable[[Arguments], Expr]:
    return lambda arguments: _compared(arguments[0], sign, arguments[1])


def _in_map(arguments: Arguments) -> Expr:
    return binary(arguments[1], "in", arguments[0], RELATION, "bool")


FUNCTIONS: dict[str, tuple[int, int, Callable[[Arguments], Expr]]] = {
    "eq": (2, _UNBOUNDED, _equal),
    "ne": (2, 2, _ordered("!=")),
    "ieq": (2, 2, _folded),
    "ine": (2, 2, lambda given: binary(_lower(given[0]), "!=", _lower(given[1]), RELATION, "bool")),
    "lt": (2, 2, _ordered("<")),
    "le": (2, 2, _ordered("<=")),
    "gt": (2, 2, _ordered(">")),
    "ge": (2, 2, _ordered(">=")),
    "and": (1, _UNBOUNDED, _and),
    "or": (1, _UNBOUNDED, _or),
    "not": (1, 1, lambda given: negated(is_true(given[0]))),
    "empty": (1, 1, lambda given: is_empty(given[0])),
    "default": (2, 2, lambda given: _first_not_empty((given[1], given[0]))),
    "coalesce": (1, _UNBOUNDED, _first_not_empty),
    "ternary": (3, 3, lambda given: chosen(is_true(given[2]), given[0], given[1])),
    "len": (1, 1, lambda given: function("size", given[0], "int")),
    "index": (2, _UNBOUNDED, _index),
    "get": (2, 2, _index),
    "first": (1, 1, lambda given: element(given[0], 0)),
    "last": (1, 1, lambda given: element(given[0], -1)),
    "slice": (2, 3, _slice),
    "join": (1, 2, _join),
    "splitList": (2, 2, _split),
    "list": (0, _UNBOUNDED, _list),
    "dict": (0, _UNBOUNDED, _map),
    "has": (2, 2, lambda given: binary(given[0], "in", given[1], RELATION, "bool")),
    "hasKey": (2, 2, _in_map),
    "print": (0, _UNBOUNDED, lambda given: joined(list(given))),
    "printf": (1, _UNBOUNDED, _printf),
    "quote": (1, 1, _quoted),
    "squote": (1, 1, _single_quoted),
    "toJson": (1, 1, lambda given: function("json", given[0], "string")),
    "lower": (1, 1, lambda given: _lower(as_text(given[0]))),
    "kebabcase": (1, 1, _kebab),
    "upper": (1, 1, _on_text("upperAscii")),
    "trim": (1, 1, _on_text("trim")),
    "replace": (3, 3, _on_text("replace")),
    "contains": (2, 2, _on_text("contains", "bool")),
    "hasPrefix": (2, 2, _on_text("startsWith", "bool")),
    "hasSuffix": (2, 2, _on_text("endsWith", "bool")),
    "regexMatch": (2, 2, _on_text("matches", "bool")),
    "toString": (1, 1, lambda given: as_text(given[0])),
    "int": (1, 1, lambda given: function("int", given[0], "int")),
    "int64": (1, 1, lambda given: function("int", given[0], "int")),
    "atoi": (1, 1, lambda given: function("int", given[0], "int")),
    "float64": (1, 1, lambda given: function("double", given[0], "double")),
    "add": (2, _UNBOUNDED, _calculated("+", SUM)),
    "sub": (2, 2, _calculated("-", SUM)),
    "mul": (2, _UNBOUNDED, _calculated("*", PRODUCT)),
    "div": (2, 2, _calculated("/", PRODUCT)),
    "mod": (2, 2, _calculated("%", PRODUCT)),
    "add1": (1, 1, lambda given: binary(as_int(given[0]), "+", literal(1), SUM, "int")),
}
