"""Go templates made into what a playbook takes: text with `${{ }}`, conditions, expressions."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from engine.expressions import Environment, ExpressionError
from engine.importing.cel import RELATION, Expr, chosen, is_true, joined, literal, text_literal
from engine.importing.functions import apply_function
from engine.importing.go_reading import read_template
from engine.importing.go_tree import (
    Assign,
    Call,
    If,
    Literal,
    Node,
    NotTranslatable,
    Output,
    Part,
    Path,
    Range,
    Term,
    Text,
    With,
    Within,
)
from engine.importing.names import Names, members
from engine.playbook.names import ALERT_NAMES, RUN_NAMES, STEP_NAMES
from engine.playbook.templates import OPENING

_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LITERAL_OPENING = f"${{{{ '{OPENING}' }}}}"


class Translated(NamedTuple):
    """A text with `${{ }}`, and what a person should look at."""

    text: str
    remarks: tuple[str, ...] = ()


class _Place(NamedTuple):
    """What `.` and the variables of a template are at one place of it."""

    dot: Expr | None
    variables: Mapping[str, Expr]
    depth: int = 0
    """Loops around; names their variables."""


def in_text(template: str, names: Names) -> Translated:
    """A template inside text. What cannot be said stays as it was, with a remark."""
    if "{{" not in template:
        return Translated(template)
    names.remarks.clear()
    try:
        text = _Translator(names).text(read_template(template))
    except NotTranslatable as fault:
        return Translated(kept(template), (*names.remarks, f"not translated: {fault}"))
    return Translated(text, tuple(names.remarks))


def as_expression(template: str, names: Names) -> Expr:
    """A template that is one `{{ }}`, as an expression. Raises NotTranslatable."""
    names.remarks.clear()
    nodes = [node for node in read_template(template) if not _is_blank(node)]
    if len(nodes) != 1 or not isinstance(nodes[0], Output):
        raise NotTranslatable("more than one pair of braces, where a value is asked for")
    translator = _Translator(names)
    return translator.checked(translator.term(nodes[0].term, _Place(None, {})))


def as_condition(template: str, names: Names) -> Expr:
    """A template that gives `true` or `false`, as an expression. Raises NotTranslatable."""
    names.remarks.clear()
    nodes = tuple(node for node in read_template(template) if not _is_blank(node))
    translator = _Translator(names)
    if len(nodes) == 1 and isinstance(nodes[0], Output):
        found = translator.term(nodes[0].term, _Place(None, {}))
    else:
        found = translator.texts(nodes, _Place(None, {}))
    if found.kind in ("dyn", "string"):
        says = "== 'true'" if found.kind == "string" else "in [true, 'true']"
        found = Expr(f"{found.at(RELATION - 1)} {says}", "bool", RELATION)
    return translator.checked(is_true(found))


def kept(text: str) -> str:
    """Text that a reader of playbooks finds no placeholder in."""
    return text.replace(OPENING, _LITERAL_OPENING)


def _is_blank(node: Node) -> bool:
    return isinstance(node, Text) and not node.text.strip()


class _Translator:
    """Translates the nodes of one template."""

    def __init__(self, names: Names) -> None:
        self._names = names

    def text(self, nodes: tuple[Node, ...]) -> str:
        """Text with a placeholder for each part that is none."""
        place = _Place(None, {})
        parts: list[str] = []
        for node in nodes:
            if isinstance(node, Text):
                parts.append(kept(node.text))
            elif isinstance(node, Assign):
                place = self._assigned(node, place)
            else:
                found = self._value(node, place)
                if found.secret and len(nodes) > 1:
                    raise NotTranslatable("a secret inside a longer text")
                plain = isinstance(found.literal, str)
                parts.append(kept(found.literal) if plain else f"${{{{ {self.checked(found).text} }}}}")
        return "".join(parts)

    def texts(self, nodes: tuple[Node, ...], place: _Place) -> Expr:
        """Nodes as one expression that gives their text."""
        parts: list[Expr] = []
        for node in nodes:
            if isinstance(node, Assign):
                place = self._assigned(node, place)
            else:
                parts.append(text_literal(node.text) if isinstance(node, Text) else self._value(node, place))
        return joined(parts)

    def _assigned(self, node: Assign, place: _Place) -> _Place:
        return place._replace(variables={**place.variables, node.name: self.term(node.term, place)})

    def _value(self, node: Node, place: _Place) -> Expr:
        match node:
            case Output(term):
                return self.term(term, place)
            case If(condition, body, otherwise):
                asked = is_true(self.term(condition, place))
                return chosen(asked, self.texts(body, place), self.texts(otherwise, place))
            case With(value, name, body, otherwise):
                given = self.term(value, place)
                variables = {**place.variables, name: given} if name else place.variables
                inside = place._replace(dot=given, variables=variables)
                return chosen(is_true(given), self.texts(body, inside), self.texts(otherwise, place))
            case Range():
                return self._range(node, place)
        raise NotTranslatable("an assignment inside a text")

    def _range(self, node: Range, place: _Place) -> Expr:
        key, value = node.names
        if key:
            raise NotTranslatable("`range` with an index")
        over = self.term(node.over, place)
        variable = "each" if not place.depth else f"each_{place.depth + 1}"
        variables = {**place.variables, value: Expr(variable)} if value else place.variables
        inside = _Place(Expr(variable), variables, place.depth + 1)
        body = self.texts(node.body, inside)
        found = Expr(f"{over.at(0)}.map({variable}, {body.text}).join('')", "string")
        if not node.otherwise:
            return found
        return chosen(
            Expr(f"size({over.text}) > 0", "bool", RELATION), found, self.texts(node.otherwise, place)
        )

    def term(self, term: Term, place: _Place) -> Expr:
        """One term."""
        match term:
            case Literal(value):
                return literal(value)
            case Path(root, parts):
                if root == "$" or (root == "." and place.dot is None):
                    return self._names.of_root(parts)
                base = place.dot if root == "." else place.variables.get(root)
                if base is None:
                    raise NotTranslatable(f"the variable `{root}` is not set")
                return members(base, parts)
            case Within(inner, parts):
                if isinstance(inner, Call) and inner.name == "stepOutput":
                    return self._step_output(inner, parts)
                return members(self.term(inner, place), parts)
            case Call(name, arguments):
                return self._call(term, name, arguments, place)

    def _call(self, term: Call, name: str, arguments: tuple[Term, ...], place: _Place) -> Expr:
        if name == "stepOutput":
            return self._step_output(term, ())
        if name == "secret":
            return self._secret(arguments)
        if name == "toPrettyJson":
            self._names.remark("`toPrettyJson` is `json()` here, in one line")
            name = "toJson"
        if name in ("kebabcase", "kebabCase"):
            self._names.remark("`kebabcase` is small letters here, with `-` for blanks and `_`")
            name = "kebabcase"
        return apply_function(name, [self.term(argument, place) for argument in arguments])

    def _step_output(self, call: Call, parts: tuple[Part, ...]) -> Expr:
        given = call.arguments[0] if len(call.arguments) == 1 else None
        step = self._names.steps.get(str(given.value)) if isinstance(given, Literal) else None
        if step is None:
            raise NotTranslatable("`stepOutput` of a step that is not there before")
        return self._names.of_step(step, parts)

    def _secret(self, arguments: tuple[Term, ...]) -> Expr:
        given = arguments[0] if len(arguments) == 1 else None
        name = ""
        if isinstance(given, Literal) and isinstance(given.value, str):
            name = given.value
        elif isinstance(given, Path):
            name = self._names.secret_of(given.parts)
        if not name.isidentifier() or not name.isascii():
            raise NotTranslatable("a secret is named in the playbook here: `${{ secrets.NAME }}`")
        return Expr(f"secrets.{name}", "string", secret=name)

    def checked(self, found: Expr) -> Expr:
        """The same, once it is sure that it compiles."""
        if found.secret:
            return found
        try:
            _environment(self._names, found.text).compile(found.text)
        except ExpressionError as error:
            raise NotTranslatable(f"`{_short(found.text)}` is no expression: {error.message}") from error
        return found


def _short(text: str) -> str:
    return text if len(text) <= 80 else text[:79] + "…"


def _environment(names: Names, text: str) -> Environment:
    """The names that an expression may use, of steps and inputs only those that it seems to name."""
    words = set(_WORD.findall(text))
    inputs = {given.name for given in names.inputs.values() if not given.secret}
    steps = {step.name for step in names.order}
    loops = {loop for step in names.order for loop in step.loops}
    variables = {loop.variable for loop in names.loops}
    return _built(*(frozenset(each & words) for each in (inputs, steps, loops, variables)))


@lru_cache(maxsize=64)
def _built(
    inputs: frozenset[str], steps: frozenset[str], loops: frozenset[str], variables: frozenset[str]
) -> Environment:
    known = ALERT_NAMES | RUN_NAMES | {"item": "dyn", "index": "int"}
    known |= {f"inputs.{name}": "string" for name in inputs}
    known |= {f"steps.{step}.{name}": kind for step in steps for name, kind in STEP_NAMES.items()}
    known |= {f"steps.{loop}.outputs": "list<dyn>" for loop in loops}
    return Environment(known | dict.fromkeys(variables, "dyn"))
