"""The header by which the sink passes over what it need not read: most journal records report nothing.

A record without the header is read. So the header only saves work; whoever writes a journal may leave it out.
"""

from typing import Any

from schemas.events import JournalRecord, Reported, RunForgotten
from streams.hardened.producer import NO_HEADERS, Headers

NAME = "reports"
NOTHING: Headers = [(NAME, b"0")]


def journal_headers(record: JournalRecord) -> Headers:
    """The headers of a journal record."""
    if any(isinstance(event, Reported | RunForgotten) for event in record.events):
        return NO_HEADERS
    return NOTHING


def reports_nothing(record: Any) -> bool:
    """Whether a message of the journal (aiokafka's record) says that the sink has nothing to do."""
    return any(name == NAME and value == b"0" for name, value in record.headers)
