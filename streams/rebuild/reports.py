"""What is said of rebuilds: to the log, to Prometheus, and, for whoever asked, to the catalog."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.rebuilds import Request
from schemas.catalog import RebuildReported
from schemas.outgoing import Outgoing
from schemas.topics import CATALOG
from streams.handling import CatalogView
from streams.metrics import Metrics
from streams.options import WorkerOptions
from streams.outbox import Outbox
from streams.rebuild.replacing import Counts

log = logging.getLogger(__name__)

LOST = "its rows were lost"
Tell = Callable[[RebuildReported], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Requests:
    """What all tables of a process share. `folder`: for rows while they are made."""

    latest: Callable[[], Request | None]
    """The newest request to make tables again."""
    tell: Tell
    """Puts a report into the catalog, in the name of `actor`."""
    actor: str
    folder: Path
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


def requests(options: WorkerOptions, outbox: Outbox, catalog: CatalogView, process: str) -> Requests:
    """Requests and reports by way of the catalog, for a process of that name."""

    async def tell(report: RebuildReported) -> None:
        key = f"rebuilt/{report.table}/{report.partition}"
        for sent in await outbox.send(outbox.prepared([Outgoing(CATALOG, key, report)])):
            await asyncio.shield(sent)

    return Requests(
        latest=lambda: catalog.catalog.rebuilds.latest("tables"),
        tell=tell,
        actor=options.instance_id or process,
        folder=options.data_dir / "rebuild",
    )


class Reports:
    """Of one table. `actor` is this process; `tell` puts a record into the catalog."""

    def __init__(self, table: str, actor: str, tell: Tell, metrics: Metrics) -> None:
        self._table = table
        self._actor = actor
        self._tell = tell
        self._metrics = metrics

    def under_way(self, partitions: int) -> None:
        """So many partitions are made again, or wait for their turn."""
        self._metrics.rebuilding.labels(self._table).set(partitions)

    async def begun(self, partition: int, request: Request | None, lost: bool) -> None:
        """It is a partition's turn. `lost`: not because somebody asked, but because there are no rows."""
        if request is not None:
            why = "it has no rows" if lost else f"{request.actor} asked"
            log.warning("partition %d of %s is made again: %s", partition, self._table, why)
            await self._tell(self._record(partition, request, state="begun"))

    async def done(
        self,
        partition: int,
        request: Request | None,
        lost: bool,
        counts: Counts,
        since_ms: int,
        took_ms: int,
    ) -> None:
        """A partition is made again. What nobody has asked for is told where there was anything to make."""
        for result in ("equal", "differing", "kept"):
            self._metrics.rebuilt_rows.labels(self._table, result).inc(getattr(counts, result))
        lost = lost and counts.rows > 0
        if request is None and not counts.rows:
            return
        if lost:
            log.warning("partition %d of %s had lost its rows", partition, self._table)
        log.warning(
            "partition %d of %s was made again in %.1f s: %d rows, %d equal, %d differed, "
            "%d kept as they were%s",
            partition,
            self._table,
            took_ms / 1000,
            counts.rows,
            counts.equal,
            counts.differing,
            counts.kept,
            f"; such as {', '.join(counts.examples)}" if counts.examples else "",
        )
        record = self._record(
            partition,
            request,
            state="done",
            reason=LOST if lost else "",
            rows=counts.rows,
            equal=counts.equal,
            differing=counts.differing,
            kept=counts.kept,
            examples=tuple(counts.examples),
            since_ms=since_ms,
            took_ms=took_ms,
        )
        await self._tell(record)

    def _record(self, partition: int, request: Request | None, **fields: Any) -> RebuildReported:
        return RebuildReported(
            actor=self._actor,
            at_ms=time.time_ns() // 1_000_000,
            requested_at=-1 if request is None else request.offset,
            table=self._table,
            partition=partition,
            **fields,
        )
