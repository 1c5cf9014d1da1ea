"""CEL expressions in the making: text with its type and how tightly it binds.

Only what is known of Go's and CEL's ways lives here; which names there are is in `names`, what functions
become in `functions`.
"""

import json
import re
from dataclasses import dataclass
from typing import Any

from engine.importing.go_tree import NotTranslatable

TEXT_MAX = 4_000
"""Characters of an expression: a template that repeats itself grows no further."""
EMPTY = "[null, false, 0, '', [], {}]"
"""What Go's templates take for false."""
ATOM, UNARY, PRODUCT, SUM, RELATION, AND, OR, CHOICE = range(8)
"""How tightly an expression binds, the tightest first."""
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NO_SELECTOR = frozenset({"true", "false", "null", "in"})


@dataclass(frozen=True, slots=True)
class Expr:
    """An expression. `kind`: string, int, double, bool, list, dyn or null."""

    text: str
    kind: str = "dyn"
    rank: int = ATOM
    literal: Any = None
    """Of literals: their value."""
    soft: str = ""
    """The same as an optional value, where a member of it may be missing."""
    secret: str = ""
    """Name of the secret that it is: such can only be a whole placeholder."""

    negates: "Expr | None" = None
    """Of a negation: what it negates."""
    sole: "Expr | None" = None
    """Of a list that is written out and has one item: the item."""

    def __post_init__(self) -> None:
        if len(self.text) > TEXT_MAX:
            raise NotTranslatable(f"the expression would have more than {TEXT_MAX} characters")

    def at(self, rank: int) -> str:
        """Its text where something that binds like `rank` is asked for."""
        if self.secret:
            raise NotTranslatable("a secret inside an expression or a longer text")
        return self.text if self.rank <= rank else f"({self.text})"


def text_literal(value: str) -> Expr:
    """A text, in single quotes where it can be."""
    body = json.dumps(value, ensure_ascii=False)[1:-1].replace('\\"', '"')
    body = body.replace("\x7f", "\\u007f").replace("'", "\\'")
    return Expr(f"'{body}'", "string", literal=value)


def literal(value: str | int | float | bool | None) -> Expr:
    """A literal of Go."""
    if isinstance(value, str):
        return text_literal(value)
    if value is None:
        return Expr("null", "null")
    if isinstance(value, bool):
        return Expr("true" if value else "false", "bool", literal=value)
    if isinstance(value, int):
        if not -(2**63) <= value < 2**63:
            raise NotTranslatable("a whole number of more than 64 bits")
        return Expr(str(value), "int", ATOM if value >= 0 else UNARY, literal=value)
    if value - value != 0.0:
        raise NotTranslatable("a number out of range")
    return Expr(repr(value), "double", ATOM if value >= 0 else UNARY, literal=value)


def member(base: Expr, name: str) -> Expr:
    """`base.name`."""
    quoted = f"[{text_literal(name).text}]"
    plain = _IDENTIFIER.fullmatch(name) is not None and name not in _NO_SELECTOR
    soft = base.soft or base.at(ATOM)
    return Expr(
        base.at(ATOM) + (f".{name}" if plain else quoted),
        soft=soft + (f".?{name}" if plain else f"[?{quoted[1:]}"),
    )


def element(base: Expr, index: int) -> Expr:
    """`base[index]`; from the end where it is negative."""
    if base.sole is not None and index in (0, -1):
        return base.sole
    if index < 0:
        return Expr(f"{base.at(ATOM)}[size({base.text}) - {-index}]")
    return Expr(f"{base.at(ATOM)}[{index}]", soft=f"{base.soft or base.at(ATOM)}[?{index}]")


def binary(left: Expr, sign: str, right: Expr, rank: int, kind: str) -> Expr:
    """Two operands and what stands between; of operators that bind alike, the left one goes first."""
    return Expr(f"{left.at(rank)} {sign} {right.at(rank - 1)}", kind, rank)


def call(receiver: Expr, name: str, *arguments: Expr, kind: str) -> Expr:
    """`receiver.name(arguments)`."""
    inside = ", ".join(argument.at(CHOICE) for argument in arguments)
    return Expr(f"{receiver.at(ATOM)}.{name}({inside})", kind)


def function(name: str, argument: Expr, kind: str) -> Expr:
    """`name(argument)`."""
    return Expr(f"{name}({argument.at(CHOICE)})", kind)


def negated(condition: Expr) -> Expr:
    """`!condition`, without a second `!`."""
    if condition.negates is not None:
        return condition.negates
    for sign, opposite in ((" == ", " != "), (" != ", " == ")):
        if condition.rank == RELATION and condition.text.count(sign) == 1 and "'" not in condition.text:
            return Expr(condition.text.replace(sign, opposite), "bool", RELATION)
    return Expr("!" + condition.at(ATOM), "bool", UNARY, negates=condition)


def is_empty(value: Expr) -> Expr:
    """Whether Go takes it for false: empty text, nil, false, 0, an empty list or map, what is missing."""
    match value.kind:
        case "bool":
            return negated(value)
        case "string":
            return Expr(f"{value.at(SUM)} == ''", "bool", RELATION)
        case "int":
            return Expr(f"{value.at(SUM)} == 0", "bool", RELATION)
        case "list":
            return Expr(f"size({value.at(CHOICE)}) == 0", "bool", RELATION)
        case "null":
            return literal(True)
    asked = f"{value.soft}.orValue(null)" if value.soft else value.at(SUM)
    return Expr(f"{asked} in {EMPTY}", "bool", RELATION)


def is_true(value: Expr) -> Expr:
    """The opposite of `is_empty`."""
    match value.kind:
        case "bool":
            return value
        case "string":
            return Expr(f"{value.at(SUM)} != ''", "bool", RELATION)
        case "list":
            return Expr(f"size({value.at(CHOICE)}) > 0", "bool", RELATION)
    return negated(is_empty(value))


def as_text(value: Expr) -> Expr:
    """The value as text."""
    if value.kind == "string":
        return value
    if value.literal is not None:
        return text_literal(str(value.literal).lower() if isinstance(value.literal, bool) else value.text)
    return function("json" if value.kind == "list" else "string", value, "string")


def as_int(value: Expr) -> Expr:
    """The value as a whole number."""
    return function("int", value, "int") if value.kind == "string" else value


def joined(parts: list[Expr]) -> Expr:
    """Texts one after the other."""
    texts = [as_text(part) for part in parts]
    if not texts:
        return text_literal("")
    if len(texts) == 1:
        return texts[0]
    return Expr(" + ".join(text.at(PRODUCT) for text in texts), "string", SUM)


def chosen(condition: Expr, yes: Expr, no: Expr) -> Expr:
    """`condition ? yes : no`; CEL wants both of one type."""
    kind = yes.kind if yes.kind == no.kind else "dyn"
    sides = [
        side if kind != "dyn" or side.kind == "dyn" else Expr(f"dyn({side.at(CHOICE)})") for side in (yes, no)
    ]
    if "dyn" in (yes.kind, no.kind):
        sides = [yes, no]
    return Expr(f"{condition.at(OR)} ? {sides[0].at(OR)} : {sides[1].at(CHOICE)}", kind, CHOICE)
