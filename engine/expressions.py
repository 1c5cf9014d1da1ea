"""Expressions: compiled once against typed names, evaluated to JSON values.

The one file that imports the CEL library.

An error is never a value: whatever goes wrong is an `ExpressionError`. How the library's reports become
sentences is in `expressions_messages`, how values go in and out in `expressions_values`, what is guarded in
`expressions_tree`.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from cel_expr_python import cel
from cel_expr_python.ext import ext_math, ext_optional, ext_strings

from engine.expressions_messages import NEEDS_LIST, compile_fault, run_fault
from engine.expressions_optionals import is_optional, misplaced_optionals
from engine.expressions_syntax import Checked
from engine.expressions_tree import SEVERAL, SEVERAL_VALUES, SORTED_KEYS, Use, read_checked
from engine.expressions_values import (
    NotJson,
    as_json,
    clean_text,
    coming_out,
    going_in,
    sorted_entries,
    sorted_keys,
    split_tags,
)

TEXT_MAX = 8_192
"""Characters of one expression."""
TAGS = "tags"
"""Type of a name that maps text to text (one value) or to a list of text (a tag with several values)."""
_OPTIONAL = "the result is an optional value: say what it is otherwise with .orValue()"
_MISPLACED = "an optional value cannot stand here: say what it is otherwise with .orValue()"
_NEUTRAL: dict[str, Any] = {"string": "", "int": 0, "double": 0.0, "bool": False, "dyn": None}
_SAFE_KINDS = frozenset({"int", "double", "bool"})


class ExpressionError(Exception):
    """An expression is wrong, or failed on its values. Line and column inside it, from 1; 0 unknown."""

    def __init__(self, message: str, line: int = 0, column: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.column = column


def neutral(kind: str) -> Any:
    """What a name of this type is where nobody gave it a value."""
    if kind in _NEUTRAL:
        return _NEUTRAL[kind]
    return [] if kind.startswith("list") else {}


class UnknownName(ExpressionError):
    """An expression uses a name that is not declared: `name`, with all that was selected from it."""

    def __init__(self, message: str, line: int, column: int, name: str) -> None:
        super().__init__(message, line, column)
        self.name = name


class Program:
    """One compiled expression. `kind` is its type in CEL's words (`bool`, `dyn`, ...)."""

    __slots__ = ("_inputs", "_run", "kind", "text", "uses")

    def __init__(
        self, text: str, run: Any, kind: str, uses: tuple[Use, ...], names: Mapping[str, str]
    ) -> None:
        self.text = text
        self.kind = kind
        self.uses = uses
        self._run = run
        self._inputs = tuple(
            (name, names[name], neutral(names[name])) for name in {use.name: 0 for use in uses}
        )

    def evaluate(self, scope: Mapping[str, Any]) -> Any:
        """Its JSON value. Raises ExpressionError."""
        try:
            data: dict[str, Any] = {}
            for name, kind, default in self._inputs:
                value = scope.get(name)
                if value is None:
                    value = default
                if kind == TAGS:
                    data[name], data[name + SEVERAL] = split_tags(value)
                elif kind == "string" and type(value) is str:
                    data[name] = clean_text(value)
                else:
                    data[name] = value if kind in _SAFE_KINDS else going_in(value)
            return _value(self._run.eval(data=data))
        except _FOREIGN as error:
            raise _translated(error) from error

    def evaluate_in(self, activation: Any) -> Any:
        """The same on values that were made ready before, for several expressions on one large value."""
        try:
            return _value(self._run.eval(activation))
        except _FOREIGN as error:
            raise _translated(error) from error


def _value(result: Any) -> Any:
    if result.type() == cel.Type.ERROR:
        raise ExpressionError(run_fault(str(result.value())))
    return coming_out(result, _opened)


def _opened(value: Any) -> Any:
    """A scalar, or a list or map of the library's values.

    Not its `plain_value`: where something inside cannot be said in Python, that hands out null pointers.
    """
    return value.value()


_FOREIGN = (NotJson, TypeError, SystemError, RuntimeError, MemoryError)


def _translated(error: Exception) -> ExpressionError:
    if isinstance(error, NotJson):
        return ExpressionError(str(error))
    if isinstance(error, RuntimeError):
        return ExpressionError(run_fault(str(error)))
    if isinstance(error, MemoryError):
        return ExpressionError("what it makes needs more memory than there is")
    # The library cannot say an optional value in Python.
    return ExpressionError(_OPTIONAL)


class Environment:
    """The names that expressions may use, with their types.

    Types: string, int, double, bool, dyn, list<T>, map<K, V>, tags.
    """

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = dict(names)
        self._tag_maps = frozenset(name for name, kind in self._names.items() if kind == TAGS)
        types = {
            name: cel.Type("map<string, string>" if kind == TAGS else kind) for name, kind in names.items()
        }
        types |= {name + SEVERAL: cel.Type("list<string>") for name in self._tag_maps}
        self._cel = cel.NewEnv(variables=types, extensions=_extensions(), functions=_functions())

    @property
    def names(self) -> Mapping[str, str]:
        """The declared names and their types."""
        return self._names

    def activation(self, values: Mapping[str, Any]) -> Any:
        """JSON values made ready for `evaluate_in`. Raises ExpressionError."""
        data: dict[str, Any] = {}
        try:
            for name, value in values.items():
                if name in self._tag_maps:
                    data[name], data[name + SEVERAL] = split_tags(value)
                else:
                    data[name] = going_in(value)
            return self._cel.Activation(data)
        except _FOREIGN as error:
            raise _translated(error) from error

    def compile(self, text: str) -> Program:
        """Raises ExpressionError with line and column where the expression is wrong."""
        return self.compile_apart(text)[0]

    def compile_apart(self, text: str) -> tuple[Program, Checked]:
        """The same, and the checked expression taken apart, for who looks at what it asks. Raises as
        `compile`.
        """
        if len(text) > TEXT_MAX:
            raise ExpressionError(f"the expression has {len(text)} characters, more than {TEXT_MAX}", 1, 1)
        if "\0" in text or not text.strip():
            raise ExpressionError(
                "the expression is empty" if not text.strip() else "it holds a NUL character", 1, 1
            )
        try:
            expression = self._cel.compile(clean_text(text))
            checked = Checked(expression.serialize())
            reading = read_checked(checked, self._names, self._tag_maps)
            run = expression if reading.guarded is None else self._cel.deserialize(reading.guarded)
        except (RuntimeError, ValueError) as error:
            fault = compile_fault(str(error), text, self._names)
            if fault.unknown:
                raise UnknownName(*fault) from error
            raise ExpressionError(fault.message, fault.line, fault.column) from error
        if reading.map_loops:
            raise ExpressionError(NEEDS_LIST, *line_and_column(text, reading.map_loops[0]))
        misplaced = misplaced_optionals(checked)
        if misplaced:
            raise ExpressionError(_MISPLACED, *line_and_column(text, misplaced[0]))
        kind = expression.return_type().name().lower()
        if is_optional(checked):
            raise ExpressionError(
                "the result is an optional value: say what it is otherwise with .orValue()", 1, 1
            )
        return Program(text, run, kind, reading.uses, self._names), checked


def line_and_column(text: str, offset: int) -> tuple[int, int]:
    """Where an offset in characters is, 1-based."""
    before = text[:offset]
    return before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1


def select(expressions: Mapping[str, str], output: Any) -> dict[str, Any]:
    """What is kept of a step's output: each expression sees `output` alone.

    Raises ExpressionError naming the key.
    """
    kept: dict[str, Any] = {}
    activation = output_environment().activation({"output": output})
    for key, text in expressions.items():
        try:
            kept[key] = output_expression(text).evaluate_in(activation)
        except ExpressionError as error:
            raise ExpressionError(f"select.{key}: {error.message}", error.line, error.column) from error
    return kept


@lru_cache(maxsize=4_096)
def output_expression(text: str) -> Program:
    """A compiled expression of `select`. Raises ExpressionError."""
    return output_environment().compile(text)


@lru_cache(maxsize=1)
def output_environment() -> Environment:
    """The one name that `select` sees."""
    return Environment({"output": "dyn"})


def _extensions() -> list[Any]:
    return [ext_optional.ExtOptional(), ext_strings.ExtStrings(), ext_math.ExtMath()]


@lru_cache(maxsize=1)
def _functions() -> list[Any]:
    kinds = cel.Type
    text_map, any_map = kinds.Map(kinds.STRING, kinds.DYN), kinds.Map(kinds.DYN, kinds.DYN)
    any_list = kinds.List(kinds.DYN)
    # The library finds no overload for a map or a list under DYN when it runs: every kind is written out.
    every = [kinds.STRING, kinds.INT, kinds.UINT, kinds.DOUBLE, kinds.BOOL, kinds.NULL, any_list, any_map]
    return [
        _function("keys", kinds.List(kinds.STRING), [text_map], sorted),
        _function("entries", kinds.List(text_map), [text_map], sorted_entries),
        _function("json", kinds.STRING, every, as_json),
        _function(SORTED_KEYS, any_list, [any_map], sorted_keys),
        _function(SEVERAL_VALUES, kinds.DYN, [kinds.STRING], _several_values),
    ]


def _function(name: str, gives: Any, takes: list[Any], does: Callable[[Any], Any]) -> Any:
    overloads = [
        cel.Overload(f"{name}_{at}", return_type=gives, parameters=[kind], impl=does)
        for at, kind in enumerate(takes)
    ]
    return cel.FunctionDecl(name, overloads)


def _several_values(key: str) -> Any:
    raise ValueError(f'the tag "{key}" has several values: look for one of them in alert.tag_list')
