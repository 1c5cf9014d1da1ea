"""Keeping secrets out of what is recorded: every form of a secret that an answer may echo becomes `***`.

Forms: as it is, each line of it, percent-encoded, as inside JSON and HTML, hexadecimal, and base64 (also in
the middle of a longer encoded text, such as `user:secret`); of an address also its path, query and password.
A secret that the other side changes otherwise is not found: what must never be recorded belongs into an
action's `sensitive_outputs`.
"""

import base64
import html
import json
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any
from urllib.parse import quote, quote_plus, unquote, urlsplit

MASK = "***"
_ENCODED_MIN = 6
"""Shortest encoded form that is looked for: shorter ones are found everywhere."""


class Masker:
    """Masks the given secret values. Its repr shows none of them."""

    def __init__(self, values: Iterable[str]) -> None:
        self._pattern = _pattern(frozenset(value for value in values if value))

    def __repr__(self) -> str:
        return "Masker(***)"

    def text(self, text: str) -> str:
        """The text without secrets."""
        return text if self._pattern is None else self._pattern.sub(MASK, text)

    def value(self, value: Any) -> Any:
        """A JSON value without secrets in its texts and keys. The same object where there are no secrets."""
        return value if self._pattern is None else self._masked(value)

    def _masked(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {
                self.text(key) if isinstance(key, str) else key: self._masked(item)
                for key, item in value.items()
            }
        if isinstance(value, list | tuple):
            return [self._masked(item) for item in value]
        return value


@lru_cache(maxsize=256)
def _pattern(values: frozenset[str]) -> re.Pattern[str] | None:
    forms = {form for value in values for form in _forms(value)}
    if not forms:
        return None
    return re.compile(
        "|".join(re.escape(form) for form in sorted(forms, key=lambda form: (-len(form), form)))
    )


def _forms(value: str) -> Iterator[str]:
    yield value
    stripped = value.strip()
    if stripped:
        yield stripped
    yield from (line.strip() for line in value.splitlines() if len(line.strip()) >= _ENCODED_MIN)
    data = value.encode("utf-8", "surrogatepass")
    encoded = [
        quote(data, safe=""),
        quote(data),
        quote_plus(data),
        json.dumps(value)[1:-1],
        json.dumps(value, ensure_ascii=False)[1:-1],
        html.escape(value),
        html.escape(value, quote=False),
        data.hex(),
        data.hex().upper(),
        *_base64_forms(data),
    ]
    encoded += _url_forms(value.strip())
    yield from (re_form for form in encoded for re_form in _cases(form) if len(re_form) >= _ENCODED_MIN)


def _url_forms(value: str) -> Iterator[str]:
    """The secret parts of an address that is a secret, such as a chat's hook: messages show it without its
    query, and its host as a client writes it.
    """
    if not value.lower().startswith(("http://", "https://")):
        return
    try:
        url = urlsplit(value)
    except ValueError:
        return
    parts = (url.path, url.query, url.fragment, url.password or "")
    pairs = [pair.partition("=")[2] for pair in url.query.split("&")]
    for part in (*parts, *pairs):
        yield from (part, unquote(part), quote(unquote(part)))


def _cases(form: str) -> Iterator[str]:
    """The form, and with its percent escapes in lower case."""
    yield form
    if "%" in form:
        yield re.sub(r"%[0-9A-F]{2}", lambda escape: escape.group().lower(), form)


def _base64_forms(data: bytes) -> Iterator[str]:
    """What of the base64 text hangs on the secret alone, for each of the three places it may begin."""
    for shift in range(3):
        text = base64.b64encode(bytes(shift) + data).decode()
        first = (0, 2, 3)[shift]
        whole_chars = (shift + len(data)) * 8 // 6
        core = text[first:whole_chars]
        if len(core) >= _ENCODED_MIN:
            yield core
            yield core.translate(str.maketrans("+/", "-_"))
