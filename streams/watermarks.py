"""Law 7: where the inputs of each partition are settled up to, and of which topic these offsets are.

Pure bookkeeping; the ledger writes the rows. An input at or below the watermark is never handled again,
even if its row is gone; a topic that was deleted and made again has another id, and its offsets mean
something else.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

Refuse = Callable[[str], None]

OTHER_TOPIC = (
    "the topic {topic} is not the one whose inputs were handled so far (its id is {found}, it was {known}): "
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

    def __init__(self, topic: str, topic_id: str, refuse: Refuse) -> None:
        self.topic = topic
        self._topic_id = topic_id
        self._refuse = refuse
        self._marks: dict[int, Mark] = {}

    def assigned(self, found: Mapping[int, tuple[int, str] | None]) -> None:
        """What the rows of newly assigned partitions say: offset and topic id, None where there is no row."""
        for partition, mark in found.items():
            offset = -1
            if mark is not None:
                offset, topic_id = mark
                if topic_id != self._topic_id:
                    self._refuse(OTHER_TOPIC.format(topic=self.topic, found=self._topic_id, known=topic_id))
            self._marks[partition] = Mark(offset, offset)

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
        """Offset and topic id of a watermark to write now; None where the newest one still says it all.

        Counts as written from here on: the caller sends it before anything else.
        """
        mark = self._marks.get(partition)
        if mark is None or mark.passed <= mark.written:
            return None
        mark.written = mark.passed
        return mark.passed, self._topic_id
