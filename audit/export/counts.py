"""What an export has taken so far, partition by partition: for its note, its manifest and its reader's
summary.
"""

from collections.abc import Iterator

import msgspec

from audit.log import Place


class PlaceCount(msgspec.Struct):
    """Of one partition: how many records, the first and last offset of them, and the hash of the last."""

    records: int = 0
    first: int | None = None
    last: int | None = None
    last_sha256: str | None = None


class Lost(msgspec.Struct, frozen=True):
    """Offsets that went out of retention before they were read."""

    topic: str
    partition: int
    first: int
    last: int


class Counts(msgspec.Struct):
    """`places`: topic to partition (as text) to its count. `schemas`: fingerprint to name."""

    records: int = 0
    places: dict[str, dict[str, PlaceCount]] = {}
    schemas: dict[str, str] = {}
    first_sha256: str | None = None

    def add(self, place: Place, offset: int, own: str) -> None:
        """One record more, in the order of the file."""
        topic, partition = place
        held = self.places.setdefault(topic, {}).setdefault(str(partition), PlaceCount())
        held.first = offset if held.first is None else held.first
        held.last, held.last_sha256 = offset, own
        held.records += 1
        self.records += 1
        if self.first_sha256 is None:
            self.first_sha256 = own

    def by_topic(self) -> dict[str, int]:
        """Topic to how many records."""
        return {topic: sum(one.records for one in held.values()) for topic, held in self.places.items()}

    def each(self) -> Iterator[tuple[Place, PlaceCount]]:
        """Every partition that has any."""
        for topic, held in self.places.items():
            for partition, count in held.items():
                yield (topic, int(partition)), count
