"""Which alert was matched with which state of the catalog: said by its AlertMatched, and by what went to
admission with it. Both become notes about the alert, before alerts are matched again.
"""

from itertools import groupby
from pathlib import Path

from audit.verify.kinds import Kind, place_of
from audit.verify.matching import attempt_note
from audit.verify.spool import Notes, traces_of
from audit.verify.traces import SUBJECT_BYTES, Side, unpacked
from schemas.topics import ALERTS


def note_attempts(folder: Path, bucket: int, notes: Notes) -> None:
    """One bucket of traces about alerts."""
    for subject, group in groupby(traces_of(folder, "alerts", bucket), key=lambda one: one[:SUBJECT_BYTES]):
        places: set[int] = set()
        offsets: set[int] = set()
        for trace in map(unpacked, group):
            if trace.side != Side.FOUND:
                continue
            offsets.add(trace.extra)
            if trace.kind == Kind.MATCHED:
                places.add(trace.number)
        for number in places:
            partition, offset = place_of(number)
            for catalog_offset in offsets:
                notes.add(ALERTS.name, partition, attempt_note(offset, catalog_offset, subject))
