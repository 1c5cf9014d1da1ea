"""Reading a run's journal."""

from collections.abc import Iterable, Iterator

from schemas.events import JournalRecord


def without_repeats(journal: Iterable[JournalRecord]) -> Iterator[JournalRecord]:
    """The records of one run in their order; one that was written again, after a crash, comes once."""
    seq = 0
    for record in journal:
        if record.seq > seq:
            seq = record.seq
            yield record
