"""Rows of admission made again from their topic, for playbooks of which a row may be stale.

The inputs that are settled are folded once more, from the oldest that is kept; nothing is sent. A playbook's
rows are made together, for one alone would not fit the others. What they come from is handed in.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Collection, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import cast

from engine.admission.admitting import admit
from engine.admission.rows import Row, encode_row, playbook_of
from engine.admission.situation import Situation
from engine.playbook.compiled import Compiled
from schemas.admissions import AdmissionsRecord, AlertRecovered, Candidate
from schemas.inbox import TimerFired
from schemas.outgoing import Cause
from schemas.topics import ADMISSIONS
from streams.handling import CatalogView, caught_up
from streams.outbox import Outbox
from streams.rebuild.source import Kept
from streams.rows import applied_of, payload_of
from streams.table import RowTable

log = logging.getLogger(__name__)

ROWS_PER_STEP = 200


Inputs = Callable[[int, int], AsyncGenerator[Sequence[Kept], None]]
"""The inputs of a partition before an offset, in order, in batches."""
Rebuilt = Mapping[str, tuple[Row | None, int]]
"""Rows by key (None: there must be none), and the offset of the input that changed each last."""


@dataclass(slots=True)
class Fold:
    """One playbook's rows: as they are kept, and as they become."""

    kept: dict[str, bytes] = field(default_factory=dict)
    rows: dict[str, tuple[Row, int]] = field(default_factory=dict)
    until: int = -1
    """Offset of the last input that is settled: later ones come again by themselves."""

    def row(self, key: str) -> Row | None:
        found = self.rows.get(key)
        return None if found is None else found[0]

    def differing(self) -> dict[str, tuple[Row | None, int]]:
        """What has to be written."""
        changed: dict[str, tuple[Row | None, int]] = {}
        for key in sorted(self.kept.keys() - self.rows.keys()):
            changed[key] = None, self.until
        for key, (row, applied) in self.rows.items():
            kept = self.kept.get(key)
            if kept is None or payload_of(kept) != encode_row(row):
                changed[key] = row, applied
        return changed


class Refolding:
    """Makes rows of the table `admissions` again."""

    def __init__(
        self,
        table: RowTable,
        admitting: "Admitting",
        inputs: Inputs,
    ) -> None:
        self._table = table
        self._admitting = admitting
        self._inputs = inputs

    async def rebuilt(self, partition: int, suspects: Collection[str]) -> Rebuilt:
        """All rows that must be written so that the playbooks of `suspects` are right again."""
        folds = await self._folds(partition, {playbook_of(key) for key in suspects})
        until = max(fold.until for fold in folds.values())
        async with aclosing(self._inputs(partition, until + 1)) as batches:
            async for batch in batches:
                for one in batch:
                    await self._fold(folds, one)
        changed = {key: found for fold in folds.values() for key, found in fold.differing().items()}
        log.warning(
            "the rows of %s in partition %d may have been stale: made again from %s, %d were not right",
            ", ".join(sorted(folds)),
            partition,
            ADMISSIONS.name,
            len(changed),
        )
        return changed

    async def _folds(self, partition: int, playbooks: Collection[str]) -> dict[str, Fold]:
        """What is kept of these playbooks. Inputs settle in order: no row is newer than what is settled."""
        mark = self._table.watermark(partition)
        folds = {playbook: Fold(until=-1 if mark is None else mark[0]) for playbook in playbooks}
        after: bytes | None = None
        while found := self._table.store.rows_after(partition, after, ROWS_PER_STEP):
            for raw, kept in found:
                key = raw.decode()
                fold = folds.get(playbook_of(key))
                if fold is not None:
                    fold.kept[key] = kept
                    fold.until = max(fold.until, applied_of(kept))
            after = found[-1][0]
            await asyncio.sleep(0)
        return folds

    async def _fold(self, folds: Mapping[str, Fold], one: Kept) -> None:
        input_ = input_of(one)
        fold = None if input_ is None else folds.get(concerned(input_))
        if input_ is None or fold is None or one.cause.offset > fold.until:
            return
        rows = await self._admitting.rows_after(fold.row, input_, one.cause)
        for key, row in rows.items():
            if row is None:
                fold.rows.pop(key, None)
            else:
                fold.rows[key] = row, one.cause.offset


class Admitting:
    """admit once more, over inputs that it has had: what it makes of the rows, and nothing else."""

    def __init__(self, catalog: CatalogView, situation: Situation, outbox: Outbox) -> None:
        self._catalog = catalog
        self._situation = situation
        self._outbox = outbox

    async def rows_after(
        self, get: Callable[[str], Row | None], input_: AdmissionsRecord, cause: Cause
    ) -> Mapping[str, Row | None]:
        """Rows by key (None: gone), as the agent left them. What became a dead letter changed none."""
        compiled = await compiled_of(self._catalog, input_)
        try:
            admitted = admit(get, input_, cause, compiled, self._situation)
            self._outbox.prepared(admitted.sends)
        except Exception as failure:
            log.info("%s@%d changed nothing: %r", cause.topic, cause.offset, failure)
            return {}
        return admitted.rows


def input_of(one: Kept) -> AdmissionsRecord | None:
    """The input, where the agent took it for one."""
    record = one.record
    if not isinstance(record, ADMISSIONS.records):
        return None
    input_ = cast(AdmissionsRecord, record)
    return input_ if one.key == concerned(input_).encode() else None


def concerned(input_: AdmissionsRecord) -> str:
    """The playbook that an input is about."""
    return playbook_of(input_.row) if isinstance(input_, TimerFired) else input_.playbook


async def compiled_of(catalog: CatalogView, record: AdmissionsRecord) -> Compiled | None:
    """The revision that the record names, once the catalog is known up to where the record was made."""
    if not isinstance(record, Candidate | AlertRecovered):
        return None
    return (await caught_up(catalog, record.catalog_offset)).compiled(record.revision)
