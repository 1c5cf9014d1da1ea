"""What may only happen where something was done to who does it: second calls, second posts, unknown outcomes.
And what was accepted of people and monitors must be in the journal. Part of `checking`.
"""

import itertools
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping

from schemas.events import (
    RecoverySeen,
    StepAnswered,
    StepAsked,
    StepFailed,
    StepRetryScheduled,
)
from tests.chaos.checking_effects import posts_of
from tests.chaos.reading import Reading, StepEnd

CALLERS = ("executor", "broker")
POSTERS = ("sink", "broker", "sandbox")
OUTCOMES = ("executor", "broker")
"""Whose disturbance may lead to a second call, to a second post, to an outcome that nobody knows."""
CLOCKS_MS = 250
"""The broker's clock is this machine's, but a record has its time a little later than what it tells of."""


def call_repeated_without_a_reason(reading: Reading) -> Iterator[str]:
    """A call comes again only where an executor or the broker was disturbed between the two."""
    calls: dict[str, list[int]] = defaultdict(list)
    for call in reading.history.calls:
        calls[call.key].append(call.at_ms)
    for key, times in calls.items():
        for earlier, later in itertools.pairwise(sorted(times)):
            if not _disturbed(reading, CALLERS, earlier, later):
                yield f"{key}: called again {later - earlier} ms later, at {later}"


def post_repeated_without_a_reason(reading: Reading) -> Iterator[str]:
    """A report is posted again only where a sink, the broker or Datadog was disturbed since it was made."""
    for what, posts in posts_of(reading).items():
        if len(posts) > 1 and what in reading.reported_at:
            recorded = [at_ms for _, at_ms in reading.published.get(what, ())]
            first, last = reading.reported_at[what], max(recorded, default=reading.history.now_ms)
            if not _disturbed(reading, POSTERS, first, last):
                yield f"{what}: {len(posts)} posts between {first} and {last}"


def unknown_without_a_reason(reading: Reading) -> Iterator[str]:
    """An executor leaves the outcome of a step unknown only where it was disturbed. A target that is slow or
    resets does so as well, as this machine may be: that is not looked at here.
    """
    for key, attempt in reading.attempts.items():
        if attempt.ended is not None and _left_unknown(attempt.ended[0]):
            first, last = attempt.requested_ms, attempt.ended[1]
            if not _disturbed(reading, OUTCOMES, first, last):
                yield f"{key}: requested at {first}, unknown at {last}"


def answer_that_was_lost(reading: Reading) -> Iterator[str]:
    """An answer that was accepted is the one that the run goes on with."""
    answers = {
        (record.run_id, event.step, event.choice)
        for record, event, _ in reading.events()
        if isinstance(event, StepAnswered) and event.actor
    }
    for (run_id, step), choice in reading.history.answered.items():
        if (run_id, step, choice) not in answers:
            yield f"{run_id}/{step}: {choice}"


def recovery_that_was_lost(reading: Reading) -> Iterator[str]:
    """A run that waited hears that its alert has recovered."""
    heard = {record.run_id for record, event, _ in reading.events() if isinstance(event, RecoverySeen)}
    yield from sorted(reading.history.recovered - heard)


def _left_unknown(end: StepEnd) -> bool:
    match end:
        case StepFailed() | StepRetryScheduled():
            return end.kind == "unknown"
        case StepAsked():
            return end.attempt > 0 and "the executor" in end.question
        case _:
            return False


def _disturbed(reading: Reading, kinds: Collection[str], from_ms: int, to_ms: int) -> bool:
    return any(
        one.kind in kinds and one.from_ms <= to_ms + CLOCKS_MS and one.to_ms >= from_ms - CLOCKS_MS
        for one in reading.history.disturbances
    )


REASON_RULES: Mapping[str, Callable[[Reading], Iterator[str]]] = {
    rule.__name__.replace("_", " "): rule
    for rule in (
        call_repeated_without_a_reason,
        post_repeated_without_a_reason,
        unknown_without_a_reason,
        answer_that_was_lost,
        recovery_that_was_lost,
    )
}
