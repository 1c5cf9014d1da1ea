"""The words of a Go template: text outside of braces, and the tokens of each action inside."""

import re
from dataclasses import dataclass

from engine.importing.go_tree import NotTranslatable

_OPENING = re.compile(r"\{\{(- )?(?:\s*/\*(?P<comment>.*?)\*/\s*?(?P<trim> -)?\}\})?", re.DOTALL)
_NAME = r"[A-Za-z_]\w*(?:-\w+)*"
_PART = rf"""\.(?:{_NAME}|'[^'\n]*'|"[^"\n]*"|\*)|\.?\[(?:-?\d{{1,9}}|:|\*|'[^'\n]*'|"[^"\n]*")\]"""
_TOKEN = re.compile(
    rf"""\s*(?:
      (?P<close>(?:(?<=\s)-)?\}}\}})
    | (?P<path>(?:\$\w*(?:{_PART})*|(?:{_PART})+|\.))
    | (?P<text>"(?:[^"\\\n]|\\.)*"|`[^`]*`|'(?:[^'\\\n]|\\.)')
    | (?P<number>[-+]?(?:\d+\.\d*|\.?\d+)(?:[eE][-+]?\d+)?)
    | (?P<word>{_NAME})
    | (?P<sign>:=|[|(),=])
    )""",
    re.VERBOSE,
)
PARTS = re.compile(_PART)
TOKENS_MAX = 1_000
"""Tokens of one action."""


@dataclass(frozen=True, slots=True)
class Token:
    """`kind`: path, text, number, word or sign. `after_blank`: whether a blank stands before it."""

    kind: str
    text: str
    after_blank: bool = True


Piece = str | tuple[Token, ...]


def pieces(template: str) -> list[Piece]:
    """Text and actions in order; comments are left out, `{{-` and `-}}` have trimmed their neighbours."""
    found: list[Piece] = []
    at = 0
    trim_next = False
    while opening := _OPENING.search(template, at):
        _add_text(found, template[at : opening.start()], trim_next, bool(opening[1]))
        if opening["comment"] is not None:
            at, trim_next = opening.end(), bool(opening["trim"])
            continue
        tokens, at, trim_next = _action(template, opening.end())
        found.append(tokens)
    _add_text(found, template[at:], trim_next, False)
    return found


def _add_text(found: list[Piece], text: str, trim_start: bool, trim_end: bool) -> None:
    text = text.lstrip() if trim_start else text
    text = text.rstrip() if trim_end else text
    if text:
        found.append(text)


def _action(template: str, at: int) -> tuple[tuple[Token, ...], int, bool]:
    tokens: list[Token] = []
    while len(tokens) < TOKENS_MAX:
        token = _TOKEN.match(template, at)
        if token is None:
            rest = template[at:].strip()
            if not rest:
                raise NotTranslatable("`{{` is not closed by `}}`")
            raise NotTranslatable(f"`{rest[:12].split()[0]}` does not belong into a template")
        kind = token.lastgroup or ""
        if kind == "close":
            return tuple(tokens), token.end(), token["close"].startswith("-")
        tokens.append(Token(kind, token[kind], token.start(kind) > at))
        at = token.end()
    raise NotTranslatable(f"more than {TOKENS_MAX} words between one pair of braces")
