"""What the catalog said of playbooks at any earlier offset. Kept while it is folded (`engine.catalog`).

Revisions themselves are never deleted, so it is enough to know from where on each was there, and which one a
name stood for.
"""

from bisect import bisect_left

from schemas.catalog import PlaybookSet, RevisionAdded


class Past:
    """All changes of playbooks, in their order."""

    def __init__(self) -> None:
        self._sets: dict[str, tuple[list[int], list[PlaybookSet]]] = {}
        self._known_from: dict[str, int] = {}

    def revision_added(self, offset: int, record: RevisionAdded) -> None:
        """A revision that can be told by its digest. The first record of one is the one that counts."""
        self._known_from.setdefault(record.digest, offset)

    def playbook_set(self, offset: int, record: PlaybookSet) -> None:
        """A name stands for another revision, or for none."""
        offsets, records = self._sets.setdefault(record.name, ([], []))
        offsets.append(offset)
        records.append(record)

    def playbooks(self, before: int) -> dict[str, PlaybookSet]:
        """What held for each playbook that was not removed, by name in order, when everything before that
        offset was known.
        """
        found = ((name, self._set(name, before)) for name in sorted(self._sets))
        return {name: held for name, held in found if held is not None and held.digest}

    def knew(self, digest: str, before: int) -> bool:
        """Whether that revision was known then."""
        return self._known_from.get(digest, before) < before

    def _set(self, name: str, before: int) -> PlaybookSet | None:
        offsets, records = self._sets[name]
        at = bisect_left(offsets, before)
        return records[at - 1] if at else None
