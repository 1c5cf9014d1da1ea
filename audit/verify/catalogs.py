"""The catalog as it stood at any offset, for alerts that were matched then; and what is wrong with the topic
itself.
"""

from collections import OrderedDict
from collections.abc import Sequence

from audit.log import Entry
from audit.verify.findings import Difference, Tally
from audit.verify.frame import Frame
from audit.verify.outputs import Offsets
from engine.catalog import Catalog
from schemas.catalog import PlaybookSet, RevisionAdded
from schemas.errors import MalformedMessage
from schemas.fields import Record
from schemas.ids import digest
from schemas.topics import CATALOG

KEPT_MAX = 6

Change = tuple[int, Record | MalformedMessage]


class Catalogs:
    """Catalogs at offsets. Alerts are mostly matched in the order of the catalog: the next is made of the
    last.
    """

    def __init__(self, changes: Sequence[Change], end: int) -> None:
        """`changes`: the whole topic, in order. `end`: its next offset."""
        self._changes, self._end = changes, end
        self._kept: OrderedDict[int, Catalog] = OrderedDict()
        self.latest = self._advanced(Catalog(), 0, end)

    def at(self, offset: int) -> Catalog:
        """What is known before `offset`; not to be changed."""
        offset = max(0, min(offset, self._end))
        if offset == self._end:
            return self.latest
        if offset not in self._kept:
            before = max((one for one in self._kept if one < offset), default=-1)
            start = self._kept[before].branched() if before >= 0 else Catalog()
            self._kept[offset] = self._advanced(start, max(before, 0), offset)
            if len(self._kept) > KEPT_MAX:
                self._kept.popitem(last=False)
        self._kept.move_to_end(offset)
        return self._kept[offset]

    def by_time(self, at_ms: int) -> Catalog:
        """The catalog as it was then, by the clocks of those who wrote it."""
        later = (offset for offset, record in self._changes if getattr(record, "at_ms", 0) > at_ms)
        return self.at(min(later, default=self._end))

    def first_ms(self, playbook: str) -> int:
        """When the first revision of a playbook was added; 0 where none is known."""
        times = (
            record.at_ms
            for _, record in self._changes
            if isinstance(record, RevisionAdded) and record.playbook == playbook
        )
        return min(times, default=0)

    def _advanced(self, catalog: Catalog, start: int, end: int) -> Catalog:
        for offset, record in self._changes:
            if start <= offset < end:
                catalog.apply(offset, record)
        catalog.passed(end)
        return catalog


def check_catalog(entries: Sequence[Entry], frame: Frame, tally: Tally) -> None:
    """Each revision has the digest of its content, no revision is named that is not there, no offset is
    missing. The same bytes again are a repeat: every change has a time and somebody who made it.
    """
    offsets = Offsets(CATALOG.name, 0, frame, tally)
    known: set[str] = set()
    seen: set[bytes] = set()
    for entry in entries:
        offsets.passed(entry)
        if entry.value is not None and entry.value in seen:
            tally.repeated((entry.topic, entry.partition, entry.offset))
        seen.add(entry.value or b"")
        record = entry.record
        if isinstance(record, RevisionAdded):
            if digest(record.canonical) == record.digest:
                known.add(record.digest)
            else:
                which = f"revision {record.digest[:12]} of playbook {record.playbook}"
                _differs(tally, entry, "altered", f"{which}: its content has another digest")
        elif isinstance(record, PlaybookSet):
            if record.digest and record.digest not in known:
                text = f"playbook {record.name} is set to revision {record.digest[:12]}, which is not there"
                _differs(tally, entry, "missing revision", text)
        elif isinstance(record, MalformedMessage):
            _differs(tally, entry, "unreadable", str(record))
    offsets.ended(frame.ends.get((CATALOG.name, 0), 0), frame.now_ms)


def _differs(tally: Tally, entry: Entry, what: str, text: str) -> None:
    found = (entry.topic, entry.partition, entry.offset)
    tally.differs(Difference(entry.at_ms, entry.topic, what, number=entry.offset, found=found, text=text))
