"""The head of a journal record is what the record says, without its events."""

import msgspec
import pytest

from audit.verify.heads import JournalHead, journal_head
from schemas.codec import encode
from schemas.errors import MalformedMessage
from schemas.events import JournalRecord
from schemas.inbox import CancelRequested
from tests.audit.histories import eventful


def test_the_fields_of_a_head_are_the_first_of_the_record() -> None:
    head = [field.name for field in msgspec.structs.fields(JournalHead)]
    assert [field.name for field in msgspec.structs.fields(JournalRecord)] == [*head, "events"]


def test_a_head_says_what_its_record_says() -> None:
    for entry in eventful(alerts=10).topics["run-journal"]:
        record, found = entry.record, journal_head(entry.value)
        assert isinstance(record, JournalRecord)
        assert found.data == entry.value
        for field in msgspec.structs.fields(JournalHead):
            assert getattr(found.head, field.name) == getattr(record, field.name)


@pytest.mark.parametrize("value", [None, b"", b"garbage", encode(CancelRequested(run_id="r", actor="a"))])
def test_what_is_no_journal_record_has_no_head(value: bytes | None) -> None:
    with pytest.raises(MalformedMessage):
        journal_head(value)


def test_a_record_that_is_cut_within_its_head_is_refused() -> None:
    entry = eventful(alerts=5).topics["run-journal"][0]
    assert entry.value is not None
    with pytest.raises(MalformedMessage, match="cut off"):
        journal_head(entry.value[:20])
