"""Durations as people write them: `500ms`, `30s`, `15m`, `1h30m`, `2d`."""

import re

_UNITS_MS = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1_000, "ms": 1}
_DURATION = re.compile(r"(?:(\d{1,6})d)?(?:(\d{1,6})h)?(?:(\d{1,6})m(?!s))?(?:(\d{1,6})s)?(?:(\d{1,9})ms)?")


def duration_ms(text: str) -> int | None:
    """Milliseconds, or None where the text is no duration."""
    found = _DURATION.fullmatch(text)
    if not text or found is None:
        return None
    return sum(
        int(count) * unit for count, unit in zip(found.groups(), _UNITS_MS.values(), strict=True) if count
    )


def as_duration(ms: int) -> str:
    """The shortest form of it, which `duration_ms` takes back."""
    parts = []
    for unit, size in _UNITS_MS.items():
        count, ms = divmod(ms, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"
