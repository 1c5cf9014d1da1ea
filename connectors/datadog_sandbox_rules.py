"""What the sandbox takes and refuses, as Datadog does. Pure.

Limits are those of the v1 events API: some are documented (text, aggregation key, date, enumerations), one
was (title), one is our guess (size of a request: Datadog does not say). The strict reading is the useful one
here: what passes the sandbox passes Datadog.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from schemas.posting import AGGREGATION_KEY_MAX, DATE_AGE_MAX_S, TEXT_MAX, TITLE_MAX

BODY_BYTES_MAX = 256 * 1024
DATE_AHEAD_MAX_S = 2 * 3_600
ALERT_TYPES = ("error", "warning", "info", "success", "user_update", "recommendation", "snapshot")
PRIORITIES = ("normal", "low")
_INT64 = 2**63


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxEvent:
    """An event as it was posted, with what Datadog adds."""

    id: int = 0
    title: str
    text: str
    tags: tuple[str, ...] = ()
    alert_type: str = "info"
    priority: str = "normal"
    host: str = ""
    device_name: str = ""
    source_type_name: str = ""
    aggregation_key: str = ""
    related_event_id: int | None = None
    date_happened: int
    """POSIX seconds."""


class NotTaken(Exception):
    """Datadog would answer 400; the message says why."""


def read_event(body: bytes, now_s: int) -> SandboxEvent:
    """The event of a request's body. Raises NotTaken."""
    try:
        given = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise NotTaken("Payload is not in the expected format: it is no JSON") from None
    if not isinstance(given, dict):
        raise NotTaken("Payload is not in the expected format: it is no object")
    fields: dict[str, Any] = {"date_happened": now_s}
    for name, checked in _CHECKS.items():
        if given.get(name) is not None:
            fields[name] = checked(name, given[name])
    for name in ("title", "text"):
        if not fields.get(name):
            raise NotTaken(f"'{name}' is required")
    if not now_s - DATE_AGE_MAX_S <= fields["date_happened"] <= now_s + DATE_AHEAD_MAX_S:
        raise NotTaken("'date_happened' must be within the last 18 hours and at most 2 hours ahead")
    return SandboxEvent(**fields)


def _text(limit: int) -> Callable[[str, Any], str]:
    def checked(name: str, value: Any) -> str:
        if not isinstance(value, str):
            raise NotTaken(f"'{name}' must be a string")
        if len(value) > limit:
            raise NotTaken(f"'{name}' has {len(value)} characters, the limit is {limit}")
        return value

    return checked


def _one_of(*allowed: str) -> Callable[[str, Any], str]:
    def checked(name: str, value: Any) -> str:
        if value not in allowed:
            raise NotTaken(f"'{name}' must be one of {', '.join(allowed)}")
        return str(value)

    return checked


def _tags(name: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(tag, str) for tag in value):
        raise NotTaken(f"'{name}' must be a list of strings")
    return tuple(value)


def _int64(name: str, value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not -_INT64 <= value < _INT64:
        raise NotTaken(f"'{name}' must be a 64-bit integer")
    return value


_CHECKS: Mapping[str, Callable[[str, Any], Any]] = {
    "title": _text(TITLE_MAX),
    "text": _text(TEXT_MAX),
    "tags": _tags,
    "alert_type": _one_of(*ALERT_TYPES),
    "priority": _one_of(*PRIORITIES),
    "host": _text(255),
    "device_name": _text(255),
    "source_type_name": _text(255),
    "aggregation_key": _text(AGGREGATION_KEY_MAX),
    "related_event_id": _int64,
    "date_happened": _int64,
}


class Quota:
    """Datadog's rate limit: so many events in each period of the calendar."""

    def __init__(self, limit: int, period_s: int) -> None:
        self.limit, self.period_s = limit, period_s
        self._period, self._used = -1, 0

    def take(self, now_s: float) -> Mapping[str, str] | None:
        """Use one; None, or the headers of the refusal."""
        period = int(now_s // self.period_s)
        if period != self._period:
            self._period, self._used = period, 0
        if self._used < self.limit:
            self._used += 1
            return None
        reset_s = max(1, round((period + 1) * self.period_s - now_s))
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Period": str(self.period_s),
            "X-RateLimit-Remaining": "0",
            "X-RateLimit-Reset": str(reset_s),
            "X-RateLimit-Name": "events_submission",
        }
