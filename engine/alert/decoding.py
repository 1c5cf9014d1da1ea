"""Bytes of a webhook to a JSON object, whatever they were declared to be. Which keys mean what is not known
here.
"""

from typing import Any

from engine.alert.bounding import TooDeep, tamed
from engine.alert.charset import text_of_body
from engine.alert.forms import form_value, looks_like_form
from engine.alert.json_text import TOO_DEEP, fast_value, json_value
from engine.alert.unparsable import Unparsable

_BLANKS = " \t\r\n\0\ufeff"


def decoded(body: bytes, content_type: str) -> dict[str, Any] | Unparsable:
    """The object that a body carries. What the body looks like decides, its declared type only helps:
    form-declared JSON is seen in the wild, and so are forms without a type.
    """
    try:
        value = fast_value(body)
    except (ValueError, RecursionError):
        value = _slow_value(body, content_type)
    if not isinstance(value, dict | Unparsable):
        value = _slow_value(body, content_type)
    return the_object(value)


def the_object(value: Any) -> dict[str, Any] | Unparsable:
    """The one object in a decoded value, safe to be kept: bounded depth, 64-bit integers, Unicode text."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, Unparsable):
        return value
    if not isinstance(value, dict):
        return Unparsable(f"{_kind(value)}, not an object")
    try:
        kept = tamed(value)
    except TooDeep:
        return Unparsable(TOO_DEEP)
    return kept if isinstance(kept, dict) else {}


def _slow_value(body: bytes, content_type: str) -> Any | Unparsable:
    text = text_of_body(body, content_type).strip(_BLANKS)
    if not text:
        return Unparsable("the body is empty")
    if text[0] in '{["':
        return json_value(text)
    if looks_like_form(text):
        return form_value(text)
    if "form-urlencoded" in content_type.lower():
        return Unparsable("declared as a form, but without a single field")
    value = json_value(text)
    if isinstance(value, Unparsable):
        return Unparsable(f"neither JSON nor a form: it begins with {text[0]!r}")
    return value


def _kind(value: Any) -> str:
    if isinstance(value, list):
        return f"a list of {len(value)} values" if value else "an empty list"
    if isinstance(value, bool) or value is None:
        return "a single word"
    return "a single text" if isinstance(value, str) else "a single number"
