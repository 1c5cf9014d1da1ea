"""docs/topics.md says what the code says."""

import re
from pathlib import Path
from typing import Any

import pytest

from schemas.codec import encode
from schemas.topics import TOPICS
from tests.schemas.sample_events import EVENTS, journal

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "topics.md").read_text(encoding="utf-8")
DAY_MS = 86_400_000


def test_every_topic_is_on_the_page_with_its_records_and_how_long_it_is_kept() -> None:
    rows = re.findall(r"^\| `([a-z-]+)` \| (.*?) \| (`.*?`) \| (\d+ days|for ever) \|", PAGE, re.MULTILINE)
    assert {name: (records, kept) for name, _, records, kept in rows} == {
        topic.name: (
            ", ".join(f"`{record.__name__}`" for record in topic.records),
            "for ever" if topic.kept_ms is None else f"{topic.kept_ms // DAY_MS} days",
        )
        for topic in TOPICS
    }


def test_the_reader_on_the_page_reads_what_we_write(monkeypatch: pytest.MonkeyPatch) -> None:
    code, *_ = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    monkeypatch.chdir(ROOT)
    found: dict[str, Any] = {}
    exec(compile(code, "topics.md", "exec"), found)  # noqa: S102 - the page's own example
    read = found["read"](encode(journal(*EVENTS)))
    assert [name for name, _ in read["events"]] == [f"pulsebook.{type(event).__name__}" for event in EVENTS]
