"""The checker: what must hold of every history, whatever was killed meanwhile. Pure; it names ids.

Here are alerts, admissions, runs and the proof by replay; what reached the outside is `checking_effects`,
what may only happen for a reason `checking_reasons`, what lies in the tables `checking_rows`. Each rule is a
function that yields the ids that break it.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from engine.admission.rows import RunRow, run_row
from schemas.admissions import Candidate, RunEnded
from schemas.codec import encode
from schemas.decisions import AdmissionDecided
from schemas.events import RunFinished
from schemas.inbox import CancelRequested, ChildEnded, RunRecovered, RunRequested
from schemas.topics import ADMISSIONS, DECISIONS, RUN_INBOX
from tests.chaos.checking_effects import EFFECT_RULES
from tests.chaos.checking_reasons import REASON_RULES
from tests.chaos.checking_rows import ROW_RULES
from tests.chaos.history import History
from tests.chaos.reading import Reading

OVERDUE_MS = 60_000
"""A timer may fire late, but a run whose timers are all as late as this does not move any more."""
SHOWN_MAX = 5
SHOWN_CHARS_MAX = 300

Rule = Callable[[Reading], Iterator[str]]


@dataclass(frozen=True, slots=True)
class Violation:
    """A rule that does not hold, and for what."""

    rule: str
    ids: tuple[str, ...]

    def __str__(self) -> str:
        more = len(self.ids) - SHOWN_MAX
        shown = "; ".join(self.ids[:SHOWN_MAX])
        return f"{self.rule}: {shown}" + (f"; and {more} more" if more > 0 else "")


def check(history: History) -> list[Violation]:
    """All that is wrong; nothing: nothing was lost, stuck, doubled or contradicted."""
    reading = Reading(history)
    rules: Mapping[str, Rule] = {**LOG_RULES, **EFFECT_RULES, **REASON_RULES, **ROW_RULES}
    found = {name: tuple(dict.fromkeys(rule(reading))) for name, rule in rules.items()}
    return [Violation(name, ids) for name, ids in found.items() if ids]


def accepted_but_not_kept(reading: Reading) -> Iterator[str]:
    """202 means durable: the alert is on its topic."""
    kept = {alert_id for alert_id in reading.alerts.values() if alert_id}
    yield from sorted(reading.history.accepted - kept)
    yield from (f"alerts/{p}@{o}" for p, o in sorted(reading.history.produced - reading.alerts.keys()))


def alert_without_decision(reading: Reading) -> Iterator[str]:
    """Whatever lies on `alerts` is decided about, or a dead letter."""
    for (partition, offset), alert_id in reading.alerts.items():
        if alert_id is None:
            if ("alerts", partition, offset) not in reading.letters:
                yield f"alerts/{partition}@{offset} is no dead letter"
        elif alert_id not in reading.matched:
            yield alert_id


def match_without_candidate(reading: Reading) -> Iterator[str]:
    """Every playbook that matched has a candidate, with a decision about it."""
    records = [entry.record for entry in reading.history.of("admissions")]
    offered = {(one.request_id, one.playbook) for one in records if isinstance(one, Candidate)}
    for alert_id, matched in reading.matched.items():
        for looked in matched.looked:
            if looked.matched and (alert_id, looked.playbook) not in offered:
                yield f"{alert_id} for {looked.playbook}"


def candidate_without_end(reading: Reading) -> Iterator[str]:
    """A candidate was decided about; one that is still queued has a row that will move."""
    for entry in reading.history.of("admissions"):
        one = entry.record
        if not isinstance(one, Candidate):
            continue
        decisions = reading.decided.get(one.run_id, [])
        if not decisions:
            yield f"{one.run_id} of {one.request_id}: no decision"
        elif all(each.decision == "queued" for each in decisions):
            held = reading.admissions.rows.get(run_row(one.playbook, one.run_id))
            row = None if held is None else held[0]
            if not isinstance(row, RunRow) or row.due_ms + OVERDUE_MS < reading.history.now_ms:
                yield f"{one.run_id} of {one.request_id}: queued for ever"


def started_without_run(reading: Reading) -> Iterator[str]:
    """Whoever was told that it started has a journal."""
    for run_id, decisions in reading.decided.items():
        if any(one.decision == "started" for one in decisions) and run_id not in reading.journal:
            yield run_id


def run_without_start(reading: Reading) -> Iterator[str]:
    """And nobody else has one."""
    for run_id in reading.journal:
        if all(one.decision != "started" for one in reading.decided.get(run_id, [])):
            yield run_id


def run_that_is_stuck(reading: Reading) -> Iterator[str]:
    """A run has ended, or has a timer that is still to come."""
    ended = {record.run_id for record, event, _ in reading.events() if isinstance(event, RunFinished)}
    for run_id in reading.journal.keys() - ended:
        row = reading.inbox.rows.get(run_id)
        due_ms = max(row.timers.values(), default=0) if row is not None else 0
        if due_ms + OVERDUE_MS < reading.history.now_ms:
            yield f"{run_id} (last seq {reading.journal[run_id][-1][0].seq})"


def ended_twice(reading: Reading) -> Iterator[str]:
    """One end a run."""
    ends = Counter(record.run_id for record, event, _ in reading.events() if isinstance(event, RunFinished))
    yield from (run_id for run_id, count in ends.items() if count > 1)


def gap_in_a_journal(reading: Reading) -> Iterator[str]:
    """1, 2, 3, … in this order, repeats aside."""
    for run_id, records in reading.journal.items():
        seqs = list(dict.fromkeys(record.seq for record, _ in records))
        if seqs != list(range(1, len(seqs) + 1)):
            yield f"{run_id}: {seqs}"


def repeat_that_differs(reading: Reading) -> Iterator[str]:
    """One run and seq, one content."""
    for run_id, records in reading.journal.items():
        first: dict[int, bytes | None] = {}
        for record, entry in records:
            if first.setdefault(record.seq, entry.value) != entry.value:
                yield f"{run_id}/{record.seq}"


def journal_that_differs_from_its_inbox(reading: Reading) -> Iterator[str]:
    """The inbox, folded once more, gives this journal: nothing is missing, made up or different."""
    there = {(run, record.seq): record for run, log in reading.journal.items() for record, _ in log}
    folded = reading.inbox.journal
    for run_id, seq in sorted(there.keys() | folded.keys()):
        one, other = there.get((run_id, seq)), folded.get((run_id, seq))
        if one is None or other is None:
            yield f"{run_id}/{seq} is " + ("not in the journal" if one is None else "in the journal only")
        elif encode(one) != encode(other):
            yield f"{run_id}/{seq}: {one} in the journal, {other} folded"


def decisions_that_differ_from_their_admissions(reading: Reading) -> Iterator[str]:
    """The topic `admissions`, folded once more, gives these decisions and these requests."""
    sends = reading.admissions.sends
    decisions = (one for log in reading.decided.values() for one in log)
    yield from _differences(
        (one.record for one in sends if one.topic is DECISIONS), decisions, AdmissionDecided, "decision"
    )
    to_runs = (RunRequested, RunRecovered, CancelRequested)
    inbox = (entry.record for entry in reading.history.of("run-inbox"))
    asked = (one.record for one in sends if one.topic is RUN_INBOX)
    yield from _differences(asked, (one for one in inbox if isinstance(one, to_runs)), to_runs, "request")


def end_that_admission_never_heard_of(reading: Reading) -> Iterator[str]:
    """Every run that ended gave its slot back."""
    there = [entry.record for entry in reading.history.of("admissions")]
    folded = [one.record for one in reading.inbox.sends if one.topic is ADMISSIONS]
    ends = (one for one in folded if isinstance(one, RunEnded))
    yield from _differences(ends, (one for one in there if isinstance(one, RunEnded)), RunEnded, "end")


def child_that_admission_never_heard_of(reading: Reading) -> Iterator[str]:
    """Every child that a run asked for is a candidate, and nobody else's; and its end was told its parent."""
    there = [entry.record for entry in reading.history.of("admissions")]
    asked = (one.record for one in reading.inbox.sends if isinstance(one.record, Candidate))
    offered = (one for one in there if isinstance(one, Candidate) and one.parent is not None)
    yield from _differences(asked, offered, Candidate, "child")
    told = (one.record for one in reading.inbox.sends if isinstance(one.record, ChildEnded))
    refused = (one.record for one in reading.admissions.sends if isinstance(one.record, ChildEnded))
    inbox = (entry.record for entry in reading.history.of("run-inbox"))
    heard = (one for one in inbox if isinstance(one, ChildEnded))
    yield from _differences([*told, *refused], heard, ChildEnded, "end of a child")


def letter_that_differs(reading: Reading) -> Iterator[str]:
    """What nobody could handle is a dead letter, and nothing else is (of these two topics)."""
    folded = reading.admissions.letters | reading.inbox.letters
    there = {one for one in reading.letters if one[0] in ("admissions", "run-inbox")}
    yield from (f"{topic}/{p}@{o} is no dead letter" for topic, p, o in sorted(folded - there))
    yield from (f"{topic}/{p}@{o} is a dead letter" for topic, p, o in sorted(there - folded))


def _differences(
    folded: Iterable[object], there: Iterable[object], kinds: object, what: str
) -> Iterator[str]:
    """Records that only one side has, by their bytes."""
    one = {encode(record): record for record in folded}  # type: ignore[arg-type]  # records of topics
    other = {encode(record): record for record in there}  # type: ignore[arg-type]  # records of topics
    yield from (f"{what} that is missing: {_short(one[data])}" for data in one.keys() - other.keys())
    yield from (f"{what} that nothing explains: {_short(other[data])}" for data in other.keys() - one.keys())


def _short(record: object) -> str:
    return str(record)[:SHOWN_CHARS_MAX]


LOG_RULES: Mapping[str, Rule] = {
    rule.__name__.replace("_", " "): rule
    for rule in (
        accepted_but_not_kept,
        alert_without_decision,
        match_without_candidate,
        candidate_without_end,
        started_without_run,
        run_without_start,
        run_that_is_stuck,
        ended_twice,
        gap_in_a_journal,
        repeat_that_differs,
        journal_that_differs_from_its_inbox,
        decisions_that_differ_from_their_admissions,
        end_that_admission_never_heard_of,
        child_that_admission_never_heard_of,
        letter_that_differs,
    )
}
