"""The header of a message that was put back from the dead letters: by whom, when, of which letter, and where
the message stood first.

An alert of a producer's JSON has the id of its place. Put back, it keeps the id of its first place: however
often that is done, it is the same alert, which admission has decided about.
"""

from collections.abc import Mapping

import msgspec

HEADER = "pulsebook-redriven"

Place = tuple[str, int, int]
"""Topic without prefix, partition, offset."""


class Redriven(msgspec.Struct, frozen=True, kw_only=True):
    """The header's value, as JSON."""

    at_ms: int
    by: str
    letter: str
    """dead-letters/PARTITION/OFFSET"""
    origin: str = ""
    """TOPIC/PARTITION/OFFSET of the message before it was ever put back. Marks of earlier days have none."""


def marked(redriven: Redriven) -> bytes:
    """The header's value."""
    return msgspec.json.encode(redriven)


def named(place: Place) -> str:
    """
    >>> named(("alerts", 3, 17))
    'alerts/3/17'
    """
    return "/".join(map(str, place))


def first_place(place: Place, headers: Mapping[str, bytes]) -> Place:
    """Where a message stood first that stands at `place` now. A header that makes no sense says nothing.

    >>> first_place(("alerts", 0, 9), {})
    ('alerts', 0, 9)
    """
    try:
        origin = msgspec.json.decode(headers.get(HEADER, b""), type=Redriven).origin
        topic, partition, offset = origin.split("/")
        found = topic, int(partition), int(offset)
    except (msgspec.DecodeError, ValueError):
        return place
    return found if topic == place[0] and min(found[1:]) >= 0 else place
