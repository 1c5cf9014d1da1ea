"""What must hold of the tables: each row is what its inputs, folded once more, lead to. Part of
`checking`.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from engine.admission.rows import decode_row as decode_admission
from engine.run.state import decode_row as decode_run
from schemas.events import Reported
from streams.notified import Notified
from streams.notified import decode_row as decode_notified
from streams.replay import Replay
from streams.rows import (
    APART,
    HEADER,
    HEADER_REBUILT,
    WATERMARK,
    applied_of,
    header_of,
    payload_of,
    rebuild_of,
)
from tests.chaos.history import TABLES
from tests.chaos.reading import Reading
from tests.chaos.refolding import in_order

Rows = dict[str, bytes]


def rows_of(reading: Reading, changelog: str) -> Rows:
    """The rows that a worker with an empty disk would recover; without the watermarks."""
    rows: Rows = {}
    for partition, replay in _replayed(reading, changelog).items():
        changes, _ = replay.take()
        rows |= {key.decode(): row for key, row in changes.items() if key not in APART and row is not None}
        if replay.torn():
            rows[f"torn/{partition}"] = b""
    return rows


def run_row_that_differs(reading: Reading) -> Iterator[str]:
    """Rows of runs: those of the inbox."""
    rows = rows_of(reading, "processor-runs-changelog")
    wanted = {key: (row, row.applied) for key, row in reading.inbox.rows.items()}
    yield from _differences(rows, wanted, decode_run)


def admission_row_that_differs(reading: Reading) -> Iterator[str]:
    """Rows of admission: those of its topic."""
    rows = rows_of(reading, "processor-admissions-changelog")
    yield from _differences(rows, reading.admissions.rows, decode_admission)


def sink_row_that_differs(reading: Reading) -> Iterator[str]:
    """Rows of the sink: all reports of the latest record that has any are settled."""
    reports: dict[str, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for record, event, _ in reading.events():
        if isinstance(event, Reported):
            reports[record.run_id][record.seq] += 1
    rows = rows_of(reading, "sink-notified-changelog")
    for run_id, counts in reports.items():
        wanted = Notified(max(counts), counts[max(counts)])
        found = decode_notified(payload_of(rows[run_id])) if run_id in rows else None
        if found != wanted:
            yield f"{run_id}: {found}, not {wanted}"
    yield from (f"{key}: a row without a report" for key in rows.keys() - reports.keys())


def watermark_beyond_its_topic(reading: Reading) -> Iterator[str]:
    """No watermark covers what is yet to come."""
    for changelog, topic in TABLES.items():
        ends: dict[int, int] = defaultdict(int)
        for entry in reading.history.of(topic):
            ends[entry.partition] = max(ends[entry.partition], entry.offset + 1)
        for entry in reading.history.of(changelog):
            if entry.key == WATERMARK and entry.value is not None:
                covered = applied_of(entry.value)
                if covered >= ends[entry.partition]:
                    yield f"{topic}/{entry.partition}: covered up to {covered} of {ends[entry.partition]}"


def _replayed(reading: Reading, changelog: str) -> dict[int, Replay]:
    replays: dict[int, Replay] = {}
    for entry in in_order(reading.history.of(changelog)):
        replay = replays.setdefault(entry.partition, Replay(lambda key: None))
        headers = dict(entry.headers)
        mark, made = headers.get(HEADER), headers.get(HEADER_REBUILT)
        group = header_of(mark) if mark else None
        replay.read(entry.offset, entry.key or b"", entry.value, group, rebuild_of(made) if made else None)
    return replays


def _differences(
    rows: Rows, wanted: Mapping[str, tuple[Any, int]], decode: Callable[[bytes], Any]
) -> Iterator[str]:
    for key in sorted(rows.keys() | wanted.keys()):
        if key not in rows:
            yield f"{key} has no row"
        elif key not in wanted:
            yield f"{key} has a row too many"
        elif decode(payload_of(rows[key])) != wanted[key][0]:
            yield f"{key}: {decode(payload_of(rows[key]))}, not {wanted[key][0]}"
        elif applied_of(rows[key]) < wanted[key][1]:
            yield f"{key}: applied {applied_of(rows[key])}, not {wanted[key][1]}"


ROW_RULES: Mapping[str, Callable[[Reading], Iterator[str]]] = {
    rule.__name__.replace("_", " "): rule
    for rule in (
        run_row_that_differs,
        admission_row_that_differs,
        sink_row_that_differs,
        watermark_beyond_its_topic,
    )
}
