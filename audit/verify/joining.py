"""What must be there held against what is there: one bucket of traces, subject after subject.

Traces of equal kind and content belong together. Of what is left over on both sides, two of the same number
(the seq of a journal record, the input of a decision) are one record that differs. Identical repeats are
legal (at least once): readers drop them; they are counted, and their places kept.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from pathlib import Path

from audit.verify.emitting import EXCUSES
from audit.verify.excusing import Retention
from audit.verify.findings import Difference, Place3, Tally
from audit.verify.frame import Frame
from audit.verify.kinds import FOLLOWS_FROM, FREE, NUMBERED, OF_ALERTS, STANDS_ON, Kind
from audit.verify.ordering import out_of_order
from audit.verify.outputs import FOLDED
from audit.verify.publishing import says
from audit.verify.spool import traces_of
from audit.verify.traces import (
    ADOPTED,
    EXPIRED,
    OPTIONAL,
    QUIET,
    STARTED,
    SUBJECT_BYTES,
    TAKEN,
    UNKNOWN,
    Side,
    Trace,
    unpacked,
)
from schemas.topics import ADMISSIONS, RUN_INBOX

GONE = "what follows from kept inputs, but may have been deleted by retention since"
ADOPTED_THEN = "decisions that depend on what went before what is kept: taken as they are"
TAKEN_AS_FOUND = "decisions by what was installed or set at the processor then: taken as they are"


class Joining:
    """Judges buckets."""

    def __init__(self, frame: Frame, tally: Tally) -> None:
        self._frame, self._tally = frame, tally
        self._retention = Retention(frame)

    def bucket(self, folder: Path, name: str, number: int) -> None:
        """One bucket of a set of traces."""
        traces = traces_of(folder, name, number)
        for _, group in groupby(traces, key=lambda one: one[:SUBJECT_BYTES]):
            self._subject([unpacked(one) for one in group])

    def _subject(self, traces: Sequence[Trace]) -> None:
        missing, extra, firsts = self._matched(traces)
        excuses = {
            FOLLOWS_FROM.get(Kind(one.kind), RUN_INBOX.name): EXCUSES[one.number]
            for one in traces
            if one.side == Side.EXCUSE
        }
        if excuses:
            missing, extra = self._excused(missing, excuses), self._excused(extra, excuses)
        missing = self._without_interrupted(missing, traces)
        excused = self._unlike(missing, extra, traces)
        self._started_without_run(excused, traces)
        for trace, text in out_of_order([*firsts, *excused]):
            self._differs("out of order", trace.at_ms, trace, None, trace, text)

    def _excused(self, traces: Iterable[Trace], excuses: Mapping[str, str]) -> list[Trace]:
        """Those that can be judged."""
        left = []
        for one in traces:
            topics = [FOLLOWS_FROM.get(Kind(one.kind), RUN_INBOX.name)]
            if one.kind == Kind.CHILD_ENDED:  # the child may never have begun
                topics.append(ADMISSIONS.name)
            reason = next((excuses[topic] for topic in topics if topic in excuses), "")
            if reason:
                self._unchecked(reason, one)
            else:
                left.append(one)
        return left

    def _matched(self, traces: Sequence[Trace]) -> tuple[list[Trace], list[Trace], list[Trace]]:
        """What is missing, what is too much, and the first of each that is there as it must be."""
        pairs: dict[tuple[int, bytes], tuple[list[Trace], list[Trace]]] = defaultdict(lambda: ([], []))
        posts: list[Trace] = []
        for trace in traces:
            if trace.side == Side.EXCUSE:
                continue
            if trace.kind == Kind.PUBLISHED:
                posts.append(trace)
                continue
            pairs[trace.kind, trace.content][trace.side].append(trace)
        missing: list[Trace] = []
        extra: list[Trace] = []
        firsts: list[Trace] = []
        for expected, found in pairs.values():
            self._pair(expected, found, missing, extra, firsts)
        self._posts(posts, missing, extra, firsts)
        return missing, extra, firsts

    def _pair(
        self,
        expected: list[Trace],
        found: list[Trace],
        missing: list[Trace],
        extra: list[Trace],
        firsts: list[Trace],
    ) -> None:
        if len(expected) == len(found) == 1:  # nearly always
            self._equal(expected[0], found[0])
            firsts.append(found[0])
            return
        found.sort(key=_by_place)
        expected.sort(key=_is_optional)
        for one, other in zip(expected, found, strict=False):
            self._equal(one, other)
        if expected:
            firsts += found[:1]
            missing += expected[len(found) :]
            for one in found[len(expected) :]:
                self._tally.repeated(_lies(one))
            return
        extra += found[:1]
        for one in found[1:]:
            self._tally.repeated(_lies(one))

    def _posts(
        self, traces: Sequence[Trace], missing: list[Trace], extra: list[Trace], firsts: list[Trace]
    ) -> None:
        """Reports and what was sent of each: the same report may have been sent more than once."""
        for _, group in groupby(traces, key=lambda one: one.number):
            sides: tuple[list[Trace], list[Trace]] = [], []
            for trace in group:
                sides[trace.side].append(trace)
            expected, found = sides
            found.sort(key=_by_place)
            right = [one for one in found if expected and says(one.content, expected[0].content)]
            if right:
                self._equal(expected[0], right[0])
                firsts.append(right[0])
            elif expected:
                missing.append(expected[0])
            for one in right[1:]:
                self._tally.repeated(_lies(one))
            extra += [one for one in found if one not in right]

    def _equal(self, expected: Trace, found: Trace) -> None:
        topic = STANDS_ON[Kind(expected.kind)]
        if expected.flags & TAKEN:
            self._unchecked(TAKEN_AS_FOUND, expected)
        if expected.flags & ADOPTED and expected.kind == Kind.DECIDED:
            self._unchecked(ADOPTED_THEN, expected)
            return
        if found.flags & QUIET and not expected.flags & QUIET:
            text = "its header `reports` tells the sink to pass over it, and there is something to report"
            self._differs("wrong header", expected.at_ms, expected, expected, found, text)
            return
        if self._frame.within(expected.at_ms):
            self._tally.counts[topic, "equal"] += 1

    def _without_interrupted(self, missing: list[Trace], traces: Sequence[Trace]) -> list[Trace]:
        """An alert may have been matched more than once (a redelivery); what came of it whole once is
        enough.
        """
        if not missing or missing[0].kind > Kind.RECOVERY:
            return missing
        attempts: dict[tuple[int, int], set[int]] = defaultdict(set)
        for one in traces:
            if one.side == Side.EXPECTED:
                attempts[one.partition, one.offset].add(one.extra)
        broken: dict[tuple[int, int], set[int]] = defaultdict(set)
        for one in missing:
            broken[one.partition, one.offset].add(one.extra)
        return [one for one in missing if not attempts[_by_place(one)] - broken[_by_place(one)]]

    def _unlike(self, missing: Iterable[Trace], extra: list[Trace], traces: Sequence[Trace]) -> list[Trace]:
        """Name what is left over on both sides; what of it cannot be judged."""
        left, excused = self._judged(extra, traces)
        for one in missing:
            other = _counterpart(one, left)
            if other is not None:
                left.remove(other)
                self._differs("differs", one.at_ms, one, one, other, "")
            elif one.flags & OPTIONAL:
                self._tally.counts[STANDS_ON[Kind(one.kind)], "pending"] += 1
            elif one.flags & EXPIRED:
                self._unchecked(GONE, one)
            else:
                text = "nobody decided about it" if one.flags & UNKNOWN else ""
                self._differs("missing", one.at_ms, one, one, None, text)
        known = {(one.kind, one.number): one for one in traces if one.side == Side.EXPECTED}
        for one in left:
            other = known.get((one.kind, one.number)) if one.kind == Kind.JOURNAL else None
            self._differs("contradicts" if other else "unexplained", one.at_ms, one, other, one, "")
        return excused

    def _judged(self, extra: Iterable[Trace], traces: Sequence[Trace]) -> tuple[list[Trace], list[Trace]]:
        """Of what is too much, what must not be, and what may follow from something that is gone."""
        left, excused = list[Trace](), list[Trace]()
        not_matched_yet = any(one.flags & UNKNOWN and one.flags & OPTIONAL for one in traces)
        for one in extra:
            if one.kind in FREE:
                self._tally.counts[STANDS_ON[Kind(one.kind)], "from outside"] += 1
            elif (one.kind in OF_ALERTS and not_matched_yet) or not self._frame.is_judged(one.at_ms):
                self._tally.counts[STANDS_ON[Kind(one.kind)], "pending"] += 1
            elif reason := self._retention.excuse(one, traces):
                self._unchecked(reason, one)
                excused.append(one)
            else:
                left.append(one)
        return left, excused

    def _started_without_run(self, excused: Sequence[Trace], traces: Sequence[Trace]) -> None:
        """A decision outlives the candidate that it was about: then at least there must be a run."""
        kinds = {(one.kind, one.side) for one in traces}
        if kinds & {
            (Kind.REQUESTED, Side.EXPECTED),
            (Kind.REQUESTED, Side.FOUND),
            (Kind.JOURNAL, Side.FOUND),
        }:
            return
        started = [one for one in excused if one.kind == Kind.DECIDED and one.flags & STARTED]
        for one in started[:1]:
            if self._retention.is_kept_since(one):
                self._differs(
                    "missing", one.at_ms, one, None, one, "it says that a run started; there is none"
                )

    def _unchecked(self, reason: str, trace: Trace) -> None:
        if self._frame.within(trace.at_ms):
            self._tally.unchecked[reason] += 1

    def _differs(
        self,
        what: str,
        at_ms: int,
        trace: Trace,
        expected: Trace | None,
        found: Trace | None,
        text: str,
    ) -> None:
        if not self._frame.within(at_ms):
            return
        kind = Kind(trace.kind)
        self._tally.differs(
            Difference(
                at_ms=at_ms,
                topic=STANDS_ON[kind],
                what=what,
                kind=kind,
                subject=trace.subject,
                number=trace.number,
                expected=None if expected is None else _follows(expected),
                found=None if found is None else _lies(found),
                text=text,
            )
        )


def _counterpart(one: Trace, others: Sequence[Trace]) -> Trace | None:
    """What lies in the place of a record that is missing: that of the same number, or, where numbers tell
    nothing apart, another one of its kind.
    """
    alike = [other for other in others if other.kind == one.kind]
    if one.kind in NUMBERED:
        return next((other for other in alike if other.number == one.number), None)
    return alike[0] if alike and not _is_optional(one) else None


def _is_optional(trace: Trace) -> bool:
    return bool(trace.flags & (OPTIONAL | EXPIRED))


def _by_place(trace: Trace) -> tuple[int, int]:
    return trace.partition, trace.offset


def _lies(trace: Trace) -> Place3:
    return STANDS_ON[Kind(trace.kind)], trace.partition, trace.offset


def _follows(trace: Trace) -> Place3:
    kind = Kind(trace.kind)
    if kind is Kind.LETTER:
        return sorted(FOLDED)[trace.number], trace.partition, trace.offset
    topic = FOLLOWS_FROM.get(kind, RUN_INBOX.name)
    return topic, trace.partition, trace.offset
