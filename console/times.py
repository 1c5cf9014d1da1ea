"""Times as people write them: durations (`25s`, `24h`, `7d`) and moments (`since`)."""

import datetime

from engine.playbook import durations


class BadTime(ValueError):
    """The text is no duration or moment; its text says what would be one."""


def duration_ms(text: str) -> int:
    """`25s`, `500ms`, `10m`, `24h`, `7d` in ms. Raises BadTime."""
    found = durations.duration_ms(text.strip())
    if found is None:
        raise BadTime(f"{text[:40]!r} is no duration; write it like 25s, 10m, 24h or 7d")
    return found


def moment_ms(text: str, now_ms: int) -> int:
    """A duration before now, ISO 8601 (UTC unless it says otherwise) or epoch ms. Raises BadTime."""
    text = text.strip()
    if (ago_ms := durations.duration_ms(text)) is not None:
        return now_ms - ago_ms
    if text.isdecimal() and len(text) <= 15:
        return int(text)
    try:
        at = datetime.datetime.fromisoformat(text)
        if at.tzinfo is None:
            at = at.replace(tzinfo=datetime.UTC)
        return int(at.timestamp() * 1000)
    except (ValueError, OverflowError) as error:
        raise BadTime(f"{text[:40]!r} is no time; write it like 2h, 7d or 2026-11-22T10:00:00Z") from error
