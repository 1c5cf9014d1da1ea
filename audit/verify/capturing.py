"""Records that follow from inputs, made once more to be shown: an emitter that keeps those that are asked
for.
"""

from audit.verify.findings import Tally, Wanted
from audit.verify.kinds import About, Kind
from audit.verify.traces import subject_hash
from schemas.fields import Record
from schemas.outgoing import Cause

_MASK_64 = (1 << 64) - 1


class Capturing:
    """An emitter that keeps the records that are asked for."""

    def __init__(self, wanted: frozenset[Wanted], tally: Tally) -> None:
        self._wanted, self._tally = wanted, tally

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
        """See `audit.verify.emitting.Emitter`."""
        number = about.number & _MASK_64
        wanted: Wanted = (int(about.kind), subject_hash(about), number, cause.partition, cause.offset)
        if wanted in self._wanted and record is not None:
            self._tally.made.setdefault(wanted, []).append(record)

    def found(
        self, about: About, content: bytes, at: tuple[int, int], at_ms: int, flags: int = 0, extra: int = 0
    ) -> None:
        """What lies there is read by its place."""

    def excuse(self, kind: Kind, subject: bytes, reason: int) -> None:
        """Nothing to keep."""
