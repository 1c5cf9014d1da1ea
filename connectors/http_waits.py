"""How long an answer asks us to wait: Retry-After and X-RateLimit-Reset, in all their spellings. Pure."""

import math
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime

_EPOCH_FROM = 1_000_000_000
"""A reset above it is a moment (GitHub), below it a number of seconds (Datadog)."""
WAIT_MAX_S = 31 * 86_400.0


def asked_wait_s(headers: Mapping[str, str], now_s: float) -> float | None:
    """Seconds to wait, at most 31 days; None where the answer does not say. `now_s`: POSIX seconds.

    Header names are looked up as given: hand in a mapping that does not mind their case.
    """
    for name in ("retry-after", "x-ratelimit-reset"):
        wait_s = _seconds(headers.get(name, "").strip(), now_s)
        if wait_s is not None:
            return min(max(wait_s, 0.0), WAIT_MAX_S)
    return None


def _seconds(value: str, now_s: float) -> float | None:
    try:
        number = float(value)
    except ValueError:
        return _until(value, now_s)
    if not math.isfinite(number):
        return None
    return number - now_s if number > _EPOCH_FROM else number


def _until(value: str, now_s: float) -> float | None:
    try:
        at = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() - now_s
