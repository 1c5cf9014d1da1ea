"""Where folds and scans put what they see: what follows from an input, what lies on a topic, and what cannot
be judged.

`Spooling` keeps it for the comparison; whoever wants to see single records again has an emitter of its own.
"""

from collections.abc import Mapping
from typing import Protocol

from audit.verify.findings import Tally
from audit.verify.frame import SKEW_MS, Frame
from audit.verify.kinds import OF_ALERTS, STANDS_ON, About, Kind
from audit.verify.partitioning import partition_of
from audit.verify.spool import Buckets
from audit.verify.traces import EXPIRED, OPTIONAL, Side, pack, subject_hash
from schemas.fields import Record
from schemas.outgoing import Cause

NO_CONTENT = bytes(16)
EXCUSES: tuple[str, ...] = (
    "",
    "alerts in Confluent framing: the audit asks no schema registry",
    "their playbook's revision is not in the catalog",
    "they began before the oldest input that is kept",
)
"""Why nothing about a subject can be judged, by number."""
CONFLUENT, NO_REVISION, BEGAN_BEFORE = 1, 2, 3


OF_ONE_RUN = frozenset({Kind.JOURNAL, Kind.PUBLISHED})
"""What is compared where one run alone is looked at."""


class Emitter(Protocol):
    """Takes what is seen."""

    def expected(
        self,
        about: About,
        key: str,
        content: bytes,
        record: Record | None,
        cause: Cause,
        flags: int = 0,
        extra: int = 0,
    ) -> None:
        """A record must lie on its topic because of an input."""

    def found(
        self, about: About, content: bytes, at: tuple[int, int], at_ms: int, flags: int = 0, extra: int = 0
    ) -> None:
        """A record lies there. `at`: partition and offset."""

    def excuse(self, kind: Kind, subject: bytes, reason: int) -> None:
        """What follows about this subject as `kind` does, from the same topic, cannot be judged
        (`EXCUSES`).
        """


class Spooling:
    """Keeps everything as traces."""

    def __init__(self, frame: Frame, runs: Buckets, alerts: Buckets, tally: Tally) -> None:
        self._runs, self._alerts, self._tally = runs, alerts, tally
        self._only = bool(frame.only)
        self._settled: Mapping[tuple[str, int], int] = frame.settled
        self._begins_ms = frame.begins_ms
        self._expires_ms = {topic: frame.begins_by_ms(topic) + SKEW_MS for topic, _ in frame.begins_ms}
        self._partitions = {topic: 0 for topic, _ in frame.bounds}
        for topic, _ in frame.bounds:
            self._partitions[topic] += 1

    def expected(
        self,
        about: About,
        key: str,
        content: bytes,
        record: Record | None,
        cause: Cause,
        flags: int = 0,
        extra: int = 0,
    ) -> None:
        """See `Emitter`. Of an input that is not settled, it may be there or not."""
        if self._only and about.kind not in OF_ONE_RUN:
            return
        topic = STANDS_ON[about.kind]
        if cause.offset >= self._settled.get((cause.topic, cause.partition), 0):
            flags |= OPTIONAL
        if topic in self._expires_ms and cause.at_ms <= self._expires_ms[topic]:
            partition = partition_of(key.encode("utf-8", "surrogatepass"), self._partitions[topic])
            if cause.at_ms <= self._begins_ms.get((topic, partition), -1) + SKEW_MS:
                flags |= EXPIRED
        self._tally.counts[topic, "derived"] += 1
        self._keep(about, Side.EXPECTED, flags, content, (cause.partition, cause.offset), cause.at_ms, extra)

    def found(
        self, about: About, content: bytes, at: tuple[int, int], at_ms: int, flags: int = 0, extra: int = 0
    ) -> None:
        """See `Emitter`."""
        if self._only and about.kind not in OF_ONE_RUN:
            return
        self._tally.counts[STANDS_ON[about.kind], "compared"] += 1
        self._keep(about, Side.FOUND, flags, content, at, at_ms, extra)

    def excuse(self, kind: Kind, subject: bytes, reason: int) -> None:
        """See `Emitter`."""
        buckets = self._alerts if kind in OF_ALERTS else self._runs
        buckets.add(subject, pack(subject, kind, reason, Side.EXCUSE, 0, NO_CONTENT, 0, 0, 0, 0))

    def _keep(
        self,
        about: About,
        side: Side,
        flags: int,
        content: bytes,
        at: tuple[int, int],
        at_ms: int,
        extra: int,
    ) -> None:
        subject = subject_hash(about)
        kind = about.kind
        buckets = self._alerts if kind in OF_ALERTS else self._runs
        buckets.add(
            subject,
            pack(subject, kind, about.number, side, flags, content, at[0], at[1], at_ms, extra),
        )

    def flush(self) -> None:
        """Write what is still in memory."""
        self._runs.flush()
        self._alerts.flush()
