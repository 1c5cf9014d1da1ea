"""Law 7: where the inputs of each partition are settled up to, and of which topic these offsets are.

Pure bookkeeping; the ledger writes the rows. An input at or below the watermark is never handled again,
even if its row is gone; a topic that was deleted and made again has another id, and its offsets mean
something else. The same goes for topics beside it that the rows go by: the journal that they have written,
the catalog that they have matched with.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

Refuse = Callable[[str], None]

OTHER_TOPIC = (
    "the topic {topic} is not the one that was worked with so far (its id is {found}, it was {known}): "
    "it was deleted and made again. Starting would run things twice or never. Use a new topic prefix, or "
    "remove the tables' changelogs and the data folder to begin anew"
)


@dataclass(slots=True)
class Mark:
    """`written`: offset of the newest watermark sent; `passed`: of the newest input that may be covered."""

    written: int
    passed: int


class Watermarks:
    """The watermarks of one table. Offsets are those of its input topic, -1 before the first."""

    def __init__(
        self, topic: str, topic_id: str, refuse: Refuse, beside: Mapping[str, str] | None = None
    ) -> None:
        """`beside`: names and ids of the other topics that the rows go by."""
        self.topic = topic
        self._ids = {topic: topic_id, **(beside or {})}
        self._refuse = refuse
        self._marks: dict[int, Mark] = {}

    def assigned(self, found: Mapping[int, tuple[int, str] | None]) -> None:
        """What the rows of newly assigned partitions say: offset and topic ids, None where none is there."""
        for partition, mark in found.items():
            offset = -1
            if mark is not None:
                offset, ids = mark
                self._compare(ids)
            self._marks[partition] = Mark(offset, offset)

    def _compare(self, known: str) -> None:
        """Rows of earlier days have the id of the input's topic only."""
        for (topic, found), before in zip(self._ids.items(), known.split(), strict=False):
            if found != before:
                self._refuse(OTHER_TOPIC.format(topic=topic, found=found, known=before))

    def revoke(self, partitions: Collection[int]) -> None:
        """Forget these partitions."""
        for partition in partitions:
            self._marks.pop(partition, None)

    def partitions(self) -> list[int]:
        """The partitions that are assigned."""
        return list(self._marks)

    def covered(self, partition: int) -> int | None:
        """Offset of the last input that is settled for sure; None where nothing is known."""
        mark = self._marks.get(partition)
        return None if mark is None or mark.written < 0 else mark.written

    def covers(self, partition: int, offset: int) -> bool:
        """Whether the input at `offset` was settled before."""
        mark = self._marks.get(partition)
        return mark is not None and offset <= mark.written

    def passed(self, partition: int, offset: int) -> None:
        """The rows of the input at `offset`, and of all before it, were sent."""
        mark = self._marks.get(partition)
        if mark is not None:
            mark.passed = max(mark.passed, offset)

    def due(self, partition: int) -> tuple[int, str] | None:
        """Offset and topic ids of a watermark to write now; None where the newest one still says it all.

        Counts as written from here on: the caller sends it before anything else.
        """
        mark = self._marks.get(partition)
        if mark is None or mark.passed <= mark.written:
            return None
        mark.written = mark.passed
        return mark.passed, " ".join(self._ids.values())
