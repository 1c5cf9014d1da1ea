"""Reads the text of a Go template into `go_tree`. Bounded; what it cannot read is `NotTranslatable`."""

import ast
from collections.abc import Sequence

from engine.importing.go_lexing import PARTS, Piece, Token, pieces
from engine.importing.go_tree import (
    Assign,
    At,
    Call,
    Each,
    If,
    Literal,
    Member,
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

DEPTH_MAX = 24
"""Blocks and brackets inside each other."""
_BLOCKS = frozenset({"if", "range", "with"})
_REFUSED = frozenset({"template", "define", "block", "break", "continue"})
_CONSTANTS = {"true": True, "false": False, "nil": None}


def read_template(template: str) -> tuple[Node, ...]:
    """The nodes of a template. Raises NotTranslatable."""
    return _Blocks(pieces(template)).all()


class _Blocks:
    """Puts `if`, `range` and `with` together with their `else` and `end`."""

    def __init__(self, found: Sequence[Piece]) -> None:
        self._pieces = found
        self._at = 0

    def all(self) -> tuple[Node, ...]:
        nodes, ended_by = self._until(0)
        if ended_by:
            raise NotTranslatable(f"`{{{{ {ended_by[0].text} }}}}` without a block before it")
        return nodes

    def _until(self, depth: int) -> tuple[tuple[Node, ...], tuple[Token, ...]]:
        """Nodes up to an `else` or `end`, and that; empty at the end of the template."""
        if depth > DEPTH_MAX:
            raise NotTranslatable(f"more than {DEPTH_MAX} blocks inside each other")
        nodes: list[Node] = []
        while self._at < len(self._pieces):
            piece = self._pieces[self._at]
            self._at += 1
            if isinstance(piece, str):
                nodes.append(Text(piece))
                continue
            word = piece[0].text if piece and piece[0].kind == "word" else ""
            if word in ("end", "else"):
                return tuple(nodes), piece
            if word in _REFUSED:
                raise NotTranslatable(f"`{word}` has no counterpart")
            nodes.append(self._block(piece, depth) if word in _BLOCKS else _single(piece))
        return tuple(nodes), ()

    def _block(self, piece: tuple[Token, ...], depth: int) -> Node:
        word = piece[0].text
        names, term = _named(piece[1:])
        body, ended_by = self._until(depth + 1)
        otherwise: tuple[Node, ...] = ()
        if ended_by and ended_by[0].text == "else":
            if len(ended_by) > 1:
                otherwise = (self._block(ended_by[1:], depth + 1),)
                return _made(word, names, term, body, otherwise)
            otherwise, ended_by = self._until(depth + 1)
        if not ended_by or ended_by[0].text != "end":
            raise NotTranslatable(f"`{{{{ {word} }}}}` without its `{{{{ end }}}}`")
        return _made(word, names, term, body, otherwise)


def _made(
    word: str, names: tuple[str, str], term: Term, body: tuple[Node, ...], otherwise: tuple[Node, ...]
) -> Node:
    if word == "range":
        return Range(term, names, body, otherwise)
    if word == "with":
        return With(term, names[1], body, otherwise)
    if word != "if" or names[1]:
        raise NotTranslatable("a variable in the condition of `if`")
    return If(term, body, otherwise)


def _named(tokens: tuple[Token, ...]) -> tuple[tuple[str, str], Term]:
    """The variables before `:=` (key and value) and the term after it."""
    signs = [token.text if token.kind == "sign" else "" for token in tokens]
    if ":=" not in signs:
        return ("", ""), _Terms(tokens).whole()
    at = signs.index(":=")
    names = [token.text for token in tokens[:at] if token.kind == "path"]
    if not 1 <= len(names) <= 2 or not all(name[:1] == "$" and name[1:].isidentifier() for name in names):
        raise NotTranslatable("this assignment cannot be read")
    return (names[0] if len(names) == 2 else "", names[-1]), _Terms(tokens[at + 1 :]).whole()


def _single(tokens: tuple[Token, ...]) -> Node:
    texts = [token.text for token in tokens if token.kind == "sign"]
    if ":=" not in texts and "=" not in texts:
        return Output(_Terms(tokens).whole())
    if len(tokens) > 2 and tokens[0].text[:1] == "$" and tokens[0].text[1:].isidentifier():
        if tokens[1].text == "=":
            raise NotTranslatable("a variable that changes its value")
        return Assign(tokens[0].text, _Terms(tokens[2:]).whole())
    raise NotTranslatable("this assignment cannot be read")


class _Terms:
    """Pipelines, calls and brackets of one action."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self._tokens = tokens
        self._at = 0

    def whole(self) -> Term:
        term = self._pipeline(0)
        if self._at < len(self._tokens):
            raise NotTranslatable(f"`{self._tokens[self._at].text}` does not belong there")
        return term

    def _next(self) -> Token | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def _pipeline(self, depth: int) -> Term:
        if depth > DEPTH_MAX:
            raise NotTranslatable(f"more than {DEPTH_MAX} brackets inside each other")
        term = self._command(depth, None)
        while (token := self._next()) is not None and token.text == "|" and token.kind == "sign":
            self._at += 1
            term = self._command(depth, term)
        return term

    def _command(self, depth: int, piped: Term | None) -> Term:
        token = self._next()
        if token is None:
            raise NotTranslatable("nothing stands between the braces, or after a `|`")
        if token.kind == "word" and token.text not in _CONSTANTS:
            self._at += 1
            arguments: list[Term] = []
            while (next_token := self._next()) is not None and not (
                next_token.kind == "sign" and next_token.text in ("|", ")")
            ):
                arguments.append(self._operand(depth))
            return Call(token.text, (*arguments, *(() if piped is None else (piped,))))
        if piped is not None:
            raise NotTranslatable(f"`{token.text}` after a `|` is no function")
        return self._operand(depth)

    def _operand(self, depth: int) -> Term:
        token = self._tokens[self._at]
        self._at += 1
        if token.kind == "path":
            return _path(token.text)
        if token.kind == "text":
            return Literal(_string(token.text))
        if token.kind == "number":
            return Literal(_number(token.text))
        if token.kind == "word":
            return Literal(_CONSTANTS[token.text]) if token.text in _CONSTANTS else Call(token.text)
        if token.text != "(":
            raise NotTranslatable(f"`{token.text}` does not belong there")
        term = self._pipeline(depth + 1)
        closing = self._next()
        if closing is None or closing.text != ")":
            raise NotTranslatable("`(` is not closed by `)`")
        self._at += 1
        after = self._next()
        if after is not None and after.kind == "path" and not after.after_blank and after.text[0] != "$":
            self._at += 1
            return Within(term, _parts(after.text))
        return term


def _path(text: str) -> Path:
    if text.startswith("$"):
        name = text[1:].partition(".")[0].partition("[")[0]
        return Path("$" + name, _parts(text[1 + len(name) :]))
    return Path(".", () if text == "." else _parts(text))


def _parts(text: str) -> tuple[Part, ...]:
    parts: list[Part] = []
    for found in PARTS.finditer(text):
        inside = found[0].lstrip(".")
        if inside in ("*", "[*]", "[:]"):
            parts.append(Each(of_map=inside == "*"))
        elif inside.startswith("["):
            key = inside[1:-1]
            parts.append(Member(key[1:-1]) if key[0] in "'\"" else At(int(key)))
        else:
            parts.append(Member(inside[1:-1] if inside[0] in "'\"" else inside))
    return tuple(parts)


def _string(text: str) -> str:
    if text.startswith("`"):
        return text[1:-1]
    try:
        value = ast.literal_eval(text)
    except (SyntaxError, ValueError) as error:
        raise NotTranslatable(f"the text {text} has an escape that cannot be read") from error
    return str(value)


def _number(text: str) -> int | float:
    try:
        return int(text)
    except ValueError:
        return float(text)
