"""Whether what nothing explains may follow from an input that retention has deleted."""

from collections.abc import Sequence

from audit.verify.frame import SKEW_MS, Frame
from audit.verify.kinds import Kind, place_of
from audit.verify.traces import EXPIRED, UNKNOWN, Side, Trace
from schemas.topics import ADMISSIONS, ALERTS, DECISIONS, RUN_INBOX, RUN_JOURNAL

UNKNOWN_THEN = "what follows from alerts whose decision may have been deleted by retention since"
_OF_RUNS = frozenset({Kind.ENDED, Kind.CHILD, Kind.CHILD_CANCELLED, Kind.CHILD_ENDED, Kind.PAUSED})


class Retention:
    """Knows what the partitions have lost."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame

    def excuse(self, trace: Trace, all_: Sequence[Trace]) -> str:
        """Why a found record cannot be explained; "" where it could be. `all_`: all about its subject."""
        kind = trace.kind
        if kind == Kind.MATCHED:
            return self._gone(ALERTS.name, *place_of(trace.number))
        if kind in (Kind.CANDIDATE, Kind.RECOVERY):
            matched = [one for one in all_ if one.kind == Kind.MATCHED and one.side == Side.FOUND]
            if any(one.flags & UNKNOWN and one.flags & EXPIRED for one in all_):
                return UNKNOWN_THEN
            return self._any_gone(ALERTS.name, matched) if matched else self._early(ALERTS.name, trace)
        if kind == Kind.DECIDED:
            return self._gone(ADMISSIONS.name, *place_of(trace.number))
        if kind == Kind.REQUESTED:
            decided = [one for one in all_ if one.kind == Kind.DECIDED and one.side == Side.FOUND]
            if decided:
                return self._any_gone(ADMISSIONS.name, decided)
            return self._early(DECISIONS.name, trace) and self._early(ADMISSIONS.name, trace)
        if kind == Kind.RECOVERED:
            decided = [one for one in all_ if one.kind == Kind.DECIDED and one.side == Side.FOUND]
            return self._any_gone(ADMISSIONS.name, decided) or self._early(ADMISSIONS.name, trace)
        if kind == Kind.JOURNAL:
            return self._gone(RUN_INBOX.name, trace.partition, trace.extra) or self._began_before(all_)
        if kind == Kind.CHILD_ENDED:  # of one that never began, admission said so
            decided = [one for one in all_ if one.kind == Kind.DECIDED and one.side == Side.FOUND]
            if reason := self._any_gone(ADMISSIONS.name, decided):
                return reason
        if kind in _OF_RUNS:
            return self._began_before(all_) or self._early(RUN_INBOX.name, trace)
        if kind == Kind.PUBLISHED:
            return self._early(RUN_JOURNAL.name, trace)
        return ""

    def is_kept_since(self, decision: Trace) -> bool:
        """Whether what followed from a decision on the topics of runs must still be there."""
        partition, offset = place_of(decision.number)
        if offset >= self._frame.settled.get((ADMISSIONS.name, partition), 0):
            return False
        return all(
            decision.at_ms > self._frame.begins_by_ms(topic) + SKEW_MS
            for topic in (RUN_INBOX.name, RUN_JOURNAL.name)
        )

    def _any_gone(self, topic: str, traces: Sequence[Trace]) -> str:
        """Whether the input of any of them is gone."""
        return next(filter(None, (self._gone(topic, *place_of(one.number)) for one in traces)), "")

    def _gone(self, topic: str, partition: int, offset: int) -> str:
        start = self._frame.start(topic, partition)
        if offset >= start:
            return ""
        return f"what follows from inputs that are gone: {topic}/{partition} begins at {start}"

    def _early(self, topic: str, trace: Trace) -> str:
        """By its time alone: its input may have been among what is gone."""
        if trace.at_ms > self._frame.begins_by_ms(topic) + SKEW_MS:
            return ""
        return f"what may follow from inputs that are gone: {topic} lost its beginning"

    def _began_before(self, all_: Sequence[Trace]) -> str:
        """Of a run whose request is gone nothing can be made again."""
        journal = [one for one in all_ if one.kind == Kind.JOURNAL and one.side == Side.FOUND]
        if any(one.kind == Kind.JOURNAL and one.side == Side.EXPECTED for one in all_):
            return ""
        for one in journal:
            start = self._frame.start(RUN_INBOX.name, one.partition)
            if start and (one.extra < start or one.number > 1):
                return f"runs that began before what is kept: run-inbox/{one.partition} begins at {start}"
        return ""
