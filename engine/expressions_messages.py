"""What the CEL library says of a wrong expression, in words that help its writer. Pure text, no CEL here."""

import difflib
import re
from collections.abc import Collection
from typing import NamedTuple

_COMPILE_ERROR = re.compile(
    r"^(?:INVALID_ARGUMENT: )?ERROR: <input>:(-?\d+):(-?\d+): (.*?)(?: \[[A-Z_]+\])?$", re.M
)
_STATUS = re.compile(r"^[A-Z_]+: | \[[A-Z_]+\]$")
_UNDECLARED = re.compile(r"undeclared reference to '(.+?)'")
_NO_OVERLOAD = re.compile(r"(?i)no matching overloads? (?:found : |for )'?(.+?)'?(?: applied to ')?(\(.*\))")
_NO_METHOD = re.compile(r"No matching overloads found : \((.+?)\)\.(\w+)\(")
_NO_OVERLOAD_AT_ALL = re.compile(r"No matching overloads found : (\S+)$")
_NO_KEY = re.compile(r"Key not found in map : (.*)", re.S)
_INDEX = re.compile(r"Index error: index=(-?\d+) size=(\d+)")
_WRONG_VALUE = re.compile(r"Unexpected value type for '(.+?)'?: (\w+)\. \(Expected (.+)\)", re.S)
_TOO_DEEP = re.compile(r"recursion (?:limit|depth)", re.I)
_OPERATORS = {"@in": "in", "!_": "!", "-_": "-", "_?_:_": "? :", "_[_]": "[ ]", "_[?_]": "[? ]", "_?._": ".?"}
_COMPARES = {"==", "!=", "<", "<=", ">", ">="}
_TYPES = {"int64": "int", "uint64": "uint", "null_type": "null", "*opaque*": "an optional value"}
_NOT_A_LIST = re.compile(r"_\+_\((?!list)(\S+), list\)$")
"""What `map` and `filter` over anything but a list come to: see `expressions_tree`."""
_FUNCTIONS = frozenset(
    {"all", "exists", "exists_one", "filter", "map", "has", "size", "contains", "startsWith", "endsWith"}
    | {"matches", "split", "join", "replace", "substring", "format", "trim", "int", "double", "string"}
    | {"bool", "timestamp", "duration", "type", "dyn", "keys", "entries", "json", "orValue", "hasValue"}
)
"""Those that people call most: the library says of a wrong number of arguments that there is no function."""
NEEDS_LIST = "a list is needed here, and this is a map: a map has no order (use keys(m) or entries(m))"
TOO_DEEP = "the expression is nested too deeply: give parts of it a name with `set` first"


class Fault(NamedTuple):
    """What is wrong, and where in the expression (1-based, in characters)."""

    message: str
    line: int
    column: int
    unknown: str = ""
    """The name that does not exist, where that is what is wrong."""


def compile_fault(raw: str, text: str, names: Collection[str]) -> Fault:
    """The first fault in the library's report on `text`; `names` are those that could have been meant."""
    found = [(int(line), int(column), said) for line, column, said in _COMPILE_ERROR.findall(raw)]
    placed = [fault for fault in found if fault[0] > 0]
    if not placed:
        return Fault(TOO_DEEP if _TOO_DEEP.search(raw) else _STATUS.sub("", raw), 1, 1)
    line, column, said = min(placed)
    undeclared = _UNDECLARED.match(said)
    if undeclared:
        return _unknown(undeclared[1], line, column, text, names)
    return Fault(_reworded(said), line, column)


def run_fault(raw: str) -> str:
    """The error of an evaluation."""
    not_a_list = _NOT_A_LIST.search(raw)
    if not_a_list:
        kind = _TYPES.get(not_a_list[1], not_a_list[1])
        return NEEDS_LIST if kind == "map" else f"a list is needed here, and this is {kind}"
    if "Iteration budget exceeded" in raw:
        return "too many rounds: its loops go over more items than an expression may look at (10 000)"
    return _reworded(_STATUS.sub("", raw))


def _unknown(name: str, line: int, column: int, text: str, names: Collection[str]) -> Fault:
    source = text.split("\n")[line - 1]
    if source[column - 1 : column] == "(":
        said = f"`{name}` is not called like this" if name in _FUNCTIONS else f"there is no function `{name}`"
        return Fault(said, line, max(1, column - len(name)))
    # A selection is reported at its last dot.
    begin = column - 1 - len(name.rpartition(".")[0])
    if begin >= 0 and source.startswith(name, begin):
        column = begin + 1
    return Fault(f"unknown name `{name}`{suggestion(name, names)}", line, column, name)


def suggestion(name: str, names: Collection[str]) -> str:
    """` (did you mean `x`?)`, or nothing where nothing is near."""
    folded = {known.lower(): known for known in names}
    near = difflib.get_close_matches(name.lower(), folded, n=1, cutoff=0.6 if len(name) < 6 else 0.66)
    return f" (did you mean `{folded[near[0]]}`?)" if near else ""


def _reworded(said: str) -> str:
    for pattern, words in _REWORDINGS:
        found = pattern.search(said)
        if found:
            return words(found)
    return said.strip()


def _overload(found: re.Match[str]) -> str:
    operator = found[1]
    types = _kinds(found[2].strip("()"))
    sign = _sign(operator)
    if not sign:
        return f"`{operator}` cannot be called with ({types})"
    mend = ": text is compared with text in quotes" if sign in _COMPARES and "string" in types else ""
    return f"`{sign}` cannot be used on ({types}){mend}"


def _sign(operator: str) -> str:
    """How an operator is written; empty for a function."""
    return _OPERATORS.get(operator) or (operator.strip("_") if operator.startswith("_") else "")


def _kinds(types: str) -> str:
    return ", ".join(_TYPES.get(part, part) for part in types.split(", "))


def _syntax(found: re.Match[str]) -> str:
    said = found[1]
    if "token recognition error" in said:
        return f"{said.partition('at: ')[2]} does not belong here, or a text is not closed"
    token = re.search(r"input '(.*?)'(?: expecting|$)", said, re.S)
    missing = re.match(r"missing '(.*?)' at", said)
    if missing:
        return f"a `{missing[1]}` is missing"
    if "no viable alternative" in said:
        return "this does not belong here"
    if token and token[1] == "<EOF>":
        return "the expression ends too early"
    return f"`{token[1]}` does not belong here" if token else said


_REWORDINGS = (
    (_NO_METHOD, lambda found: f"`{found[2]}` cannot be called on ({_kinds(found[1])})"),
    (_NO_OVERLOAD, _overload),
    (re.compile("<iter_range>"), lambda found: "only a list or a map can be gone over"),
    (_NO_OVERLOAD_AT_ALL, lambda found: f"`{_sign(found[1]) or found[1]}` cannot be used on these values"),
    (
        re.compile("optional.none.. dereference"),
        lambda found: "there is no value: say what it is then with .orValue()",
    ),
    (_NO_KEY, lambda found: f"there is no key {found[1]}"),
    (_INDEX, lambda found: f"there is no item {found[1]} in a list of {found[2]}"),
    (_WRONG_VALUE, lambda found: f"`{found[1]}` is given as {found[2]} where {found[3].lower()} is declared"),
    (re.compile(r"Syntax error: (.*)", re.S), _syntax),
    (re.compile(r"reserved identifier: (\w+)"), lambda found: f"`{found[1]}` is a reserved word"),
    (re.compile("Applying SELECT to non-message"), lambda found: "only a map has fields, and this is none"),
    (_TOO_DEEP, lambda found: TOO_DEEP),
)
