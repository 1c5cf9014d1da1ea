"""The rows of one playbook as one input leaves them, and what is to be sent: the working set of `admit`.

It reads each row once, keeps what was changed, and drops rows that have become empty. No rule is decided
here.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from engine.admission.rows import (
    ChunkRow,
    CycleRow,
    Decided,
    KeyRow,
    PartRow,
    PlaybookRow,
    Row,
    RunRow,
    chunk_row,
    cycle_row,
    key_row,
    part_row,
    run_row,
)
from schemas.decisions import Admission, AdmissionDecided
from schemas.fields import Record
from schemas.inbox import ChildEnded
from schemas.outgoing import Cause, Outgoing
from schemas.relations import Parent
from schemas.topics import DECISIONS, RUN_INBOX

Get = Callable[[str], Row | None]
AnyRow = TypeVar("AnyRow", PlaybookRow, KeyRow, RunRow, CycleRow, ChunkRow, PartRow)

_EMPTY_KEY = KeyRow()
_EMPTY_CYCLE = CycleRow()


@dataclass(slots=True)
class Draft:
    """Made for one input and thrown away after it."""

    get: Get
    playbook: str
    cause: Cause
    rows: dict[str, Row | None] = field(default_factory=dict)
    sends: list[Outgoing] = field(default_factory=list)
    _book: PlaybookRow | None = None
    _read_before: dict[str, Row | None] = field(default_factory=dict)
    """Rows as they were: to read one may mean to decode it."""

    @property
    def at_ms(self) -> int:
        """Now: the broker's timestamp of the input."""
        return self.cause.at_ms

    @property
    def book(self) -> PlaybookRow:
        """The playbook's own row."""
        if self._book is None:
            self._book = self._read(self.playbook, PlaybookRow) or PlaybookRow()
        return self._book

    @book.setter
    def book(self, row: PlaybookRow) -> None:
        self._book = self.rows[self.playbook] = row

    def run(self, run_id: str) -> RunRow | None:
        """The row of a candidate or run."""
        return self._read(run_row(self.playbook, run_id), RunRow)

    def put_run(self, run_id: str, row: RunRow | None) -> None:
        """Keep the row; None drops it."""
        self.rows[run_row(self.playbook, run_id)] = row

    def key(self, key: str) -> KeyRow:
        """The row of an admission key, empty if there is none."""
        return self._read(key_row(self.playbook, key), KeyRow) or _EMPTY_KEY

    def put_key(self, key: str, row: KeyRow) -> None:
        """Keep the row, unless it is empty."""
        self.rows[key_row(self.playbook, key)] = None if row == _EMPTY_KEY else row

    def cycle(self, cycle: str) -> CycleRow:
        """The row of a cycle, empty if there is none."""
        return self._read(cycle_row(self.playbook, cycle), CycleRow) or _EMPTY_CYCLE

    def put_cycle(self, cycle: str, row: CycleRow) -> None:
        """Keep the row, unless it is empty."""
        self.rows[cycle_row(self.playbook, cycle)] = None if row == _EMPTY_CYCLE else row

    def put_chunk(self, number: int, row: ChunkRow) -> None:
        """Keep a chunk."""
        self.rows[chunk_row(self.playbook, number)] = row

    def part(self, suffix: str, number: int) -> tuple[str, ...]:
        """The runs in a part of the row PLAYBOOK + `suffix`."""
        row = self._read(part_row(self.playbook, suffix, number), PartRow)
        return () if row is None else row.runs

    def put_part(self, suffix: str, number: int, runs: tuple[str, ...]) -> None:
        """Keep a part, unless it is empty."""
        self.rows[part_row(self.playbook, suffix, number)] = PartRow(runs) if runs else None

    def row(self, row_key: str) -> Row | None:
        """Any row by its whole key."""
        if row_key in self.rows:
            return self.rows[row_key]
        if row_key not in self._read_before:
            self._read_before[row_key] = self.get(row_key)
        return self._read_before[row_key]

    def tell(self, run_id: str, record: Record) -> None:
        """Send a record to the run's inbox."""
        self.sends.append(Outgoing(RUN_INBOX, run_id, record))

    def decided(self, decision: Admission, rule: str, reason: str, until_ms: int | None = None) -> Decided:
        """A decision that this input leads to."""
        cause = self.cause
        return Decided(decision, rule, reason, until_ms, cause.at_ms, cause.partition, cause.offset)

    def say(self, run_id: str, row: RunRow, decided: Decided) -> None:
        """Send a decision on a candidate; of the same row and decision, always the same record."""
        record = AdmissionDecided(
            request_id=row.request_id,
            playbook=self.playbook,
            run_id=run_id,
            alert_id=row.alert_id,
            decision=decided.decision,
            rule=decided.rule,
            reason=decided.reason,
            until_ms=decided.until_ms,
            key=row.key,
            revision=row.revision,
            at_ms=decided.at_ms,
            partition=decided.partition,
            offset=decided.offset,
        )
        self.sends.append(Outgoing(DECISIONS, row.request_id, record))
        if row.request is not None:
            self.tell_parent(row.request.parent, run_id, decided)

    def tell_parent(self, parent: Parent | None, run_id: str, decided: Decided) -> None:
        """Tell the run that waits for this one that it will never run, where that was decided."""
        if parent is None or decided.decision in ("started", "queued"):
            return
        never = ChildEnded(
            run_id=parent.run_id,
            step=parent.step,
            child_run_id=run_id,
            status=decided.decision,
            message=": ".join(filter(None, (decided.rule, decided.reason))),
            answers_seq=parent.seq,
        )
        self.tell(parent.run_id, never)

    def _read(self, row_key: str, kind: type[AnyRow]) -> AnyRow | None:
        row = self.row(row_key)
        if row is None or isinstance(row, kind):
            return row
        raise TypeError(f"the row {row_key} is a {type(row).__name__}, not a {kind.__name__}")
