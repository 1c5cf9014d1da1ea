"""The header that spares the sink most of the journal, and only what it need not read."""

from typing import Any, NamedTuple

import pytest

from schemas.events import Reported, RunForgotten, StepSkipped
from streams.reporting_header import journal_headers, reports_nothing
from tests.streams.test_reporter import journal


class Message(NamedTuple):
    headers: Any


REPORT = Reported(kind="publish", title="t", text="t", alert_type="info")


@pytest.mark.parametrize(
    ("events", "nothing"),
    [
        ((), True),
        ((StepSkipped(step="one"),), True),
        ((StepSkipped(step="one"), REPORT), False),
        ((RunForgotten(),), False),
    ],
)
def test_only_what_reports_nothing_says_so(events: tuple[Any, ...], nothing: bool) -> None:
    plain = journal("r-1", 1)
    fields = {name: getattr(plain, name) for name in plain.__struct_fields__}
    record = type(plain)(**{**fields, "events": events})
    assert reports_nothing(Message(tuple(journal_headers(record)))) is nothing


def test_a_record_without_the_header_is_read() -> None:
    assert not reports_nothing(Message(()))
    assert not reports_nothing(Message((("reports", b"1"), ("trace", b"0"))))
