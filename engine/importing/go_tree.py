"""Go templates as values: text, and what stands between `{{` and `}}`. Text becomes these in `go_reading`."""

from dataclasses import dataclass


class NotTranslatable(Exception):
    """Something of a template that has no counterpart, in words for the person who imports it."""


@dataclass(frozen=True, slots=True)
class Member:
    """`.name` or `.'name'`."""

    name: str


@dataclass(frozen=True, slots=True)
class At:
    """`[0]`."""

    index: int


@dataclass(frozen=True, slots=True)
class Each:
    """`[:]` of a list; `.*` of a map (`of_map`)."""

    of_map: bool = False


Part = Member | At | Each


@dataclass(frozen=True, slots=True)
class Path:
    """`$.a.b`, `.a.b` or `$name.a.b`. `root`: `$`, `.` or the variable with its `$`."""

    root: str
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True)
class Literal:
    """Text, a number, true, false or nil."""

    value: str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Call:
    """A function with its arguments, the piped one last."""

    name: str
    arguments: tuple["Term", ...] = ()


@dataclass(frozen=True, slots=True)
class Within:
    """`(term).a.b`."""

    term: "Term"
    parts: tuple[Part, ...]


Term = Path | Literal | Call | Within


@dataclass(frozen=True, slots=True)
class Text:
    """What stands outside of braces."""

    text: str


@dataclass(frozen=True, slots=True)
class Output:
    """`{{ term }}`."""

    term: Term


@dataclass(frozen=True, slots=True)
class Assign:
    """`{{ $name := term }}`."""

    name: str
    term: Term


@dataclass(frozen=True, slots=True)
class If:
    """`{{ if }}`, with the body of what is otherwise (an `else if` is an `If` alone in it)."""

    condition: Term
    body: tuple["Node", ...]
    otherwise: tuple["Node", ...] = ()


@dataclass(frozen=True, slots=True)
class Range:
    """`{{ range }}`; `names` are of the variables for key and value, empty where they have none."""

    over: Term
    names: tuple[str, str]
    body: tuple["Node", ...]
    otherwise: tuple["Node", ...] = ()


@dataclass(frozen=True, slots=True)
class With:
    """`{{ with }}`."""

    value: Term
    name: str
    body: tuple["Node", ...]
    otherwise: tuple["Node", ...] = ()


Node = Text | Output | Assign | If | Range | With
