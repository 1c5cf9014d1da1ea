"""Tells admission, on its own topic, which playbooks were enabled, disabled, removed, paused or resumed.

So what admission knows of that has a place in the order of its inputs, and a replay finds it there. Like a
timer, it is sent again until the playbook's row has it; only the owner of the row's partition sends it.
"""

import asyncio
import logging
import time
from typing import TYPE_CHECKING

from engine.admission.rows import PlaybookRow, Row
from schemas.admissions import Hold, PlaybookSwitched
from schemas.catalog import PlaybookSet
from schemas.outgoing import Outgoing
from schemas.topics import ADMISSIONS
from streams.handling import CatalogView
from streams.hardened.producer import key_hash
from streams.ledger import Ledger
from streams.outbox import Outbox

if TYPE_CHECKING:
    from streams.hardened.app import HardenedApp

log = logging.getLogger(__name__)

LOOK_EVERY_S = 0.25
AGAIN_S = 5.0
"""How long a record is given to reach the row, before it is sent once more."""
_UNKNOWN = PlaybookRow()
Told = tuple[bool, Hold | None]
"""Enabled, and what pauses it."""


class Switching:
    """Compares the catalog with the rows of admission. `partitions`: how many `admissions` has."""

    def __init__(
        self,
        app: "HardenedApp",
        ledger: Ledger[Row],
        outbox: Outbox,
        catalog: CatalogView,
        partitions: int,
    ) -> None:
        self._app = app
        self._ledger = ledger
        self._outbox = outbox
        self._catalog = catalog
        self._partitions = partitions
        self._sent: dict[str, tuple[Told, float]] = {}
        """By playbook: what was told, and until when the row is given time to know it."""
        app.in_background(self._look_for_ever)

    async def _look_for_ever(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            try:
                await self.look()
            except Exception:
                log.exception("playbooks could not be compared with their rows; the next look is soon")

    async def look(self) -> None:
        """Tell of every playbook whose row knows it otherwise."""
        if not self._app.lease.held or self._app.lease.lapsed() or self._app.should_stop:
            return
        catalog = self._catalog.catalog
        for name, held in list(catalog.playbooks.items()):
            told = held.enabled and bool(held.digest), catalog.holds.paused(name)
            if not self._knows_otherwise(held, told, catalog.offset):
                self._sent.pop(name, None)
            elif self._is_due(name, told):
                enabled, paused = told
                record = PlaybookSwitched(
                    playbook=name, enabled=enabled, catalog_offset=catalog.offset, paused=paused
                )
                await self._outbox.send(self._outbox.prepared([Outgoing(ADMISSIONS, name, record)]))

    def _knows_otherwise(self, held: PlaybookSet, told: Told, offset: int) -> bool:
        """Whether the row is ours, is of another mind, and knows less of the catalog than we do."""
        partition = key_hash(held.name.encode()) % self._partitions
        if not self._ledger.owns(partition):
            return False
        row = self._ledger.get(partition, held.name)
        known = row if isinstance(row, PlaybookRow) else _UNKNOWN
        return (known.enabled, known.paused) != told and known.enabled_offset < offset

    def _is_due(self, name: str, told: Told) -> bool:
        before, until_s = self._sent.get(name, (None, 0.0))
        now_s = time.monotonic()
        if before == told and now_s < until_s:
            return False
        self._sent[name] = told, now_s + AGAIN_S
        return True
