"""Reports and publications compared: what may be said of one report, as a hash of 16 bytes.

A post says the same as its report, but for a tag where it may repeat another, and in two ways: with its date,
or, when the sink was too late for Datadog, with the date within the text. Both are expected: 8 bytes each.
"""

from hashlib import blake2b
from typing import Any

from engine.posting import DATE_MARGIN_S, REPEAT_TAG, event_to_post
from schemas.events import Reported
from schemas.json import canonical
from schemas.posting import DATE_AGE_MAX_S, EventToPost
from schemas.publications import Published, Refused

_NOTHING = bytes(8)


def expected_content(report: Reported, run_id: str, seq: int, index: int, at_ms: int) -> bytes:
    """Both ways of saying this report, the one with a date first."""
    in_time, late = (
        event_to_post(report, run_id, seq, index, at_ms, now_ms, False)
        for now_ms in (at_ms, at_ms + 2 * (DATE_AGE_MAX_S - DATE_MARGIN_S) * 1_000)
    )
    return _hash(_plain(in_time)) + _hash(_plain(late))


def found_content(record: Published | Refused) -> bytes:
    """What was sent, in the place of the way in which it was said."""
    sent = record.sent
    if not isinstance(sent, dict):
        return _hash(sent) + _NOTHING
    tags = sent.get("tags")
    if isinstance(tags, list):
        sent = {**sent, "tags": [tag for tag in tags if tag != REPEAT_TAG]}
    return _NOTHING + _hash(sent) if sent.get("date_s") is None else _hash(sent) + _NOTHING


def says(found: bytes, expected: bytes) -> bool:
    """Whether what was sent is one of the ways."""
    return (found[:8] == expected[:8]) or (found[:8] == _NOTHING and found[8:] == expected[8:])


def _plain(event: EventToPost) -> dict[str, Any]:
    return {name: _listed(getattr(event, name)) for name in EventToPost.__dataclass_fields__}


def _listed(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _hash(value: Any) -> bytes:
    return blake2b(canonical(value), digest_size=8).digest()
