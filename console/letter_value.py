"""A message's bytes so that a person can read them: fields of a record, text, or else hexadecimal."""

import json
from typing import Literal, NamedTuple

import msgspec

from schemas.alerts import AlertReceived
from schemas.codec import decode
from schemas.errors import MalformedMessage

Form = Literal["nothing", "text", "record", "binary"]
_BREAKS = {"\n", "\r", "\t"}


class Readable(NamedTuple):
    """`record`: the name of the record's type; empty for other forms."""

    form: Form
    text: str
    record: str = ""


def readable(value: bytes | None) -> Readable:
    """What the bytes say, whole; bytes within a record are base64, but for an alert's raw body."""
    if value is None:
        return Readable("nothing", "")
    try:
        record = decode(value)
    except MalformedMessage:
        text = _text(value)
        return Readable("binary", value.hex(" ")) if text is None else Readable("text", text)
    fields = msgspec.to_builtins(record)
    if isinstance(record, AlertReceived) and (raw := _text(record.raw)) is not None:
        fields["raw"] = raw
    return Readable("record", json.dumps(fields, ensure_ascii=False), type(record).__name__)


def _text(value: bytes) -> str | None:
    """UTF-8 that can be shown, else None."""
    try:
        text = value.decode()
    except UnicodeDecodeError:
        return None
    return text if all(each.isprintable() or each in _BREAKS for each in text) else None
