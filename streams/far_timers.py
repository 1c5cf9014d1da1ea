"""Timers that are due in hours or days, in a few bytes each: a run that has ended waits a day to be
forgotten.

Pure. Only the row's key is kept, in a slot of ten minutes; when the slot comes near, the row itself is
read again and tells which timers it has by then.
"""

from collections.abc import Collection, Mapping

SLOT_MS = 600_000
NEAR_MS = 900_000
"""A slot is near when it begins within this time: steps usually time out sooner."""


class FarTimers:
    """Row keys by the slot of their earliest far timer. A row may be in several: it is read for each."""

    def __init__(self) -> None:
        self._slots: dict[int, dict[int, bytearray]] = {}

    def size_bytes(self) -> int:
        """What all keys take."""
        return sum(len(keys) for slot in self._slots.values() for keys in slot.values())

    def add(self, partition: int, row: str, due_ms: int) -> None:
        """Remember to read the row again before `due_ms`."""
        key = row.encode()
        keys = self._slots.setdefault(due_ms // SLOT_MS, {}).setdefault(partition, bytearray())
        keys += len(key).to_bytes(2, "big") + key

    def take(self, now_ms: int, at_most: int) -> list[tuple[int, str]]:
        """Rows (partition, key) whose slot is near, up to `at_most`; they are forgotten here."""
        taken: list[tuple[int, str]] = []
        for slot in sorted(self._slots):
            if not is_near(slot * SLOT_MS, now_ms):
                break
            partitions = self._slots[slot]
            for partition in list(partitions):
                keys = partitions[partition]
                at = 0
                while at < len(keys) and len(taken) < at_most:
                    end = at + 2 + int.from_bytes(keys[at : at + 2], "big")
                    taken.append((partition, keys[at + 2 : end].decode()))
                    at = end
                del keys[:at]
                if not keys:
                    del partitions[partition]
            if partitions:
                break
            del self._slots[slot]
        return taken

    def revoke(self, partitions: Collection[int]) -> None:
        """Forget these partitions."""
        for slot in self._slots.values():
            for partition in partitions:
                slot.pop(partition, None)


def is_near(due_ms: int, now_ms: int) -> bool:
    """Whether a timer belongs on the heap."""
    return due_ms // SLOT_MS * SLOT_MS <= now_ms + NEAR_MS


def earliest_far_ms(timers: Mapping[str, int], now_ms: int) -> int | None:
    """When the first of the timers that are not near is due."""
    return min((due_ms for due_ms in timers.values() if not is_near(due_ms, now_ms)), default=None)
