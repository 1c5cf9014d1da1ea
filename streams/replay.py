"""How a changelog becomes rows again (law 6): the greatest `applied` wins, whatever came last.

Pure: one partition's records in, changes of its rows out. Three things make it more than "the last one wins":
- A worker that lost its partition without knowing may still write. Its rows are older, so they lose; so
do its
  deletions.
- What one input wrote belongs together. Where the changelog ends in the middle of it, none of it holds:
that input
  was not acked and will be read again.
- A row that is not newer than the watermark before it cannot come from the owner. Where nothing newer is
known
  (compaction keeps only the last), it is taken, and named as suspect: whoever can rebuilds it from the
  journal. Rows of a rebuild may be older than the watermark, and are no suspects until its mark is seen: it
  comes after all of them, and a rebuild without it is done again.
"""

from collections.abc import Callable

from streams.rows import REBUILT, SUSPECTS, WATERMARK, applied_of, keys_of, rebuilt_by


class Replay:
    """Folds one partition of a changelog. `held(key)` reads the row that the local store has."""

    def __init__(self, held: Callable[[bytes], bytes | None]) -> None:
        self._held = held
        self._changes: dict[bytes, bytes | None] = {}
        self._group: dict[bytes, bytes | None] = {}
        self._group_id: tuple[int, int] | None = None
        self._group_seen = 0
        self._group_offset = -1
        self._graves: dict[bytes, int] = {}
        self._offset: int | None = None
        self.suspects: set[bytes] = set(keys_of(held(SUSPECTS)))
        """Keys whose row may be that of a worker that had lost the partition."""
        mark = held(WATERMARK)
        self._covered = -1 if mark is None else applied_of(mark)
        self._rebuilt = rebuilt_by(held(REBUILT))

    def read(
        self,
        offset: int,
        key: bytes,
        value: bytes | None,
        group: tuple[int, int] | None,
        rebuild: int | None = None,
    ) -> None:
        """One changelog record. `group`: `applied` and the number of records, from its header, if it has
        one. `rebuild`: which rebuild wrote it, if one did.
        """
        applied = applied_of(value) if value is not None else (group[0] if group is not None else None)
        members = group[1] if group is not None else 1
        if self._group_id is not None and self._group_id != (applied, members):
            self._close_group()
        elif key in self._group:
            self._open_group()  # it was torn, and its input was read again
        if members <= 1 or applied is None:
            self._place(self._changes, key, value, applied, rebuild)
            self._offset = offset
            return
        self._place(self._group, key, value, applied)
        self._group_id = (applied, members)
        self._group_seen += 1
        self._group_offset = offset
        if self._group_seen >= members:
            self._close_group()

    def take(self) -> tuple[dict[bytes, bytes | None], int | None]:
        """What changed since the last `take`, and the changelog offset up to which that is complete."""
        changes, self._changes = self._changes, {}
        return changes, self._offset

    def torn(self) -> int:
        """How many records at the end belong to an input whose other records are missing. They hold
        nothing."""
        return self._group_seen

    def _close_group(self) -> None:
        self._changes.update(self._group)
        self._offset = self._group_offset
        self._open_group()

    def _open_group(self) -> None:
        self._group = {}
        self._group_id = None
        self._group_seen = 0

    def _place(
        self,
        into: dict[bytes, bytes | None],
        key: bytes,
        value: bytes | None,
        applied: int | None,
        rebuild: int | None = None,
    ) -> None:
        known = self._known(key)
        if applied is not None and applied < max(known, self._graves.get(key, -1)):
            return
        into[key] = value
        self.suspects.discard(key)
        if key == WATERMARK:
            self._cover(applied)
        elif key == REBUILT:
            self._rebuilt = max(self._rebuilt, rebuilt_by(value))
        elif rebuild is not None and rebuild > self._rebuilt and value is not None:
            return
        elif value is None:
            if applied is not None:
                self._graves[key] = applied
        elif applied is not None and applied <= self._covered and applied != known:
            self.suspects.add(key)

    def _known(self, key: bytes) -> int:
        for rows in (self._group, self._changes):
            if key in rows:
                row = rows[key]
                return -1 if row is None else applied_of(row)
        row = self._held(key)
        return -1 if row is None else applied_of(row)

    def _cover(self, applied: int | None) -> None:
        """Deletions that the watermark covers need not be remembered: older rows are told by the
        watermark."""
        self._covered = max(self._covered, applied or 0)
        self._graves = {key: at for key, at in self._graves.items() if at > self._covered}
