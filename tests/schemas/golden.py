"""The golden files: every record as bytes and in words. `python -m tests.schemas.golden` writes them again.

Only before a release: afterwards the old schema moves to `schemas/avro/old/`, its golden files to `old/`.
"""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from schemas.codec import encode
from schemas.fields import Record
from tests.schemas.sample_events import EVENTS, journal
from tests.schemas.samples import SAMPLES

FOLDER = Path(__file__).parents[1] / "golden" / "schemas"


def golden_records() -> Iterator[tuple[str, Record]]:
    """Name of the file, and its record."""
    for record in SAMPLES:
        yield type(record).__name__, record
    for event in EVENTS:
        yield f"JournalRecord-{type(event).__name__}", journal(event)


def in_words(value: Any) -> Any:
    """A record as JSON for people: every record names its type, bytes are base64."""
    if isinstance(value, Record):
        fields = {name: in_words(getattr(value, name)) for name in value.__struct_fields__}
        return {type(value).__name__: fields}
    if isinstance(value, bytes):
        return {"base64": base64.b64encode(value).decode()}
    if isinstance(value, dict):
        return {key: in_words(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [in_words(item) for item in value]
    return value


def main() -> None:
    """Write every golden file of today's schemas."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, record in golden_records():
        (FOLDER / f"{name}.bin").write_bytes(encode(record))
        words = json.dumps(in_words(record), indent=1, ensure_ascii=False)
        (FOLDER / f"{name}.json").write_text(words + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
