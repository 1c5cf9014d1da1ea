"""The address of a webhook call: which endpoint, which token, which playbook. No check of any of them."""

from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from litestar.types import HTTPScope

from console.access import bearer

PREFIX = b"/hooks/"
IN_HEADER = "-"
"""In the place of the token: it is in a header."""


@dataclass(frozen=True, slots=True)
class Address:
    """`/hooks/{endpoint}/{token}` or `/hooks/{endpoint}/{token}/{playbook}`."""

    endpoint: str
    token: str
    playbook: str


def header(scope: HTTPScope, name: bytes) -> str:
    """A request header by its lower-case name; empty where it is not sent."""
    for each, value in scope["headers"]:
        if each == name:
            return value.decode("latin-1")
    return ""


def address(scope: HTTPScope) -> Address | None:
    """The address of a call; None where the path is none. `/hooks/{endpoint}` has its token in a header."""
    segments = scope["raw_path"].partition(PREFIX)[2].split(b"/")
    names = [
        _text(segment) if b"%" in segment else segment.decode("ascii", "replace") for segment in segments
    ]
    if not names[0] or len(names) > 3 or (len(names) == 3 and not names[2]):
        return None
    token = names[1] if len(names) > 1 else IN_HEADER
    if token == IN_HEADER or not token:
        token = header(scope, b"x-pulsebook-token") or bearer(header(scope, b"authorization"))
    return Address(names[0], token, names[2] if len(names) == 3 else "")


def _text(segment: bytes) -> str:
    return unquote_to_bytes(segment).decode("utf-8", "replace")
