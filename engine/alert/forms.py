"""A form (`application/x-www-form-urlencoded`) to the payload it carries. Total; the JSON in it is mended
like any other.

Datadog's "encode as form" still sends the payload that was written as JSON, and senders differ in how: as the
value of one key, as the key itself, as one form field per key with `metadata` as JSON text or as
`metadata[ALERT_ID]`.
"""

import re
from typing import Any
from urllib.parse import parse_qsl, unquote_plus

from engine.alert.json_text import json_value
from engine.alert.unparsable import Unparsable
from engine.alert.values import is_absent

FIELDS_MAX = 1_000
_LOOKS = re.compile(r"[A-Za-z_$%][\w.$%+\-\[\]]{0,200}=")
_ENCODED_OBJECT = re.compile(r"\s*%7[Bb]")
_RAW_OBJECT = re.compile(r"[\w.\-]{1,64}=\s*+(?=\{)")
_NESTED = re.compile(r"(\w+)(?:\[(.{1,200})\]|\.(.{1,200}))\Z", re.DOTALL)
_CARRIERS = frozenset({"payload", "data", "json", "event", "alert"})


def looks_like_form(text: str) -> bool:
    """Whether a text begins as a form does; its declared type need not say so."""
    return _LOOKS.match(text) is not None or _ENCODED_OBJECT.match(text) is not None


def form_value(text: str) -> Any | Unparsable:
    """The payload in a form: a JSON value, or an object of its fields. Of a repeated field the last value
    counts.
    """
    if raw := _RAW_OBJECT.match(text):  # written without being encoded: a `&` in it separates nothing
        value = json_value(text[raw.end() :])
        if isinstance(value, dict):
            return value
    if _ENCODED_OBJECT.match(text):
        return json_value(unquote_plus(text, errors="replace").rstrip("=& \r\n"))
    try:
        pairs = parse_qsl(text, keep_blank_values=True, errors="replace", max_num_fields=FIELDS_MAX)
    except ValueError:
        return Unparsable(f"a form of more than {FIELDS_MAX} fields")
    if not pairs:
        return Unparsable("a form without fields")
    return _payload_of(pairs)


def _payload_of(pairs: list[tuple[str, str]]) -> Any | Unparsable:
    fields: dict[str, Any] = {}
    carried: dict[str, Any] = {}
    for key, text in pairs:
        if (
            (key in _CARRIERS or len(pairs) == 1)
            and key != "metadata"
            and text.lstrip().startswith(("{", "["))
        ):
            value = json_value(text)
            if not isinstance(value, dict):
                return value
            carried |= value
        else:
            _put(fields, key, text)
    return fields | carried


def _put(fields: dict[str, Any], key: str, text: str) -> None:
    """One field; `metadata[KEY]` and `metadata.KEY` go into an object. A value that says nothing replaces
    none.
    """
    nested = _NESTED.match(key)
    if nested and nested[1] == "metadata":
        inner = fields.setdefault("metadata", {})
        if isinstance(inner, dict):
            _put(inner, nested[2] or nested[3], text)
        return
    if key not in fields or not is_absent(text):
        fields[key] = text
