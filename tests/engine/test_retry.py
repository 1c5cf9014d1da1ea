"""The retry policy as a table: each row's comment is the sum."""

from typing import Any

import pytest

from engine.playbook.model import Retry
from engine.retry import DEFAULT, JITTER, Failure, GiveUp, RetryAfter, delay_after, next_attempt, seconds

STEADY = Retry(attempts=4, delay_ms=1_000, backoff=2.0, max_delay_ms=3_000, within_ms=60_000)


def decided(kind: str, policy: Retry | None = None, **fields: Any) -> RetryAfter | GiveUp:
    retry_after_ms = fields.pop("retry_after_ms", None)
    facts = {"attempt": 1, "repeatable": True, "elapsed_ms": 0, "seed": "r/s/1", **fields}
    return next_attempt(policy, Failure(kind, "", retry_after_ms), **facts)


@pytest.mark.parametrize("kind", ["timeout", "unreachable", "http_5xx", "rate_limited"])
def test_without_retry_a_repeatable_step_is_tried_three_times_on_what_may_pass(kind: Any) -> None:
    assert isinstance(decided(kind, attempt=1), RetryAfter)
    assert isinstance(decided(kind, attempt=2), RetryAfter)
    assert decided(kind, attempt=3) == GiveUp("attempt 3 of 3 was the last", exhausted=True)


@pytest.mark.parametrize("kind", ["http_4xx", "bad_output", "internal", "unknown"])
def test_without_retry_other_failures_are_not_tried_again(kind: Any) -> None:
    assert decided(kind) == GiveUp(f"{kind} is not tried again without `retry`")


def test_without_retry_an_unrepeatable_step_is_tried_once() -> None:
    assert isinstance(decided("timeout", repeatable=False), GiveUp)


@pytest.mark.parametrize("kind", ["bad_input", "too_large", "refused", "exhausted", "cancelled"])
def test_no_policy_tries_again_what_fails_the_same_way_every_time(kind: Any) -> None:
    assert decided(kind, STEADY) == GiveUp(f"{kind} is never tried again")


@pytest.mark.parametrize("kind", ["http_4xx", "bad_output", "internal", "unknown", "timeout"])
def test_a_given_policy_tries_everything_else_again_also_if_unrepeatable(kind: Any) -> None:
    assert isinstance(decided(kind, STEADY, repeatable=False), RetryAfter)


@pytest.mark.parametrize(
    ("attempt", "longest_ms"),
    [
        (1, 1_000),  # 1000
        (2, 2_000),  # 1000 * 2
        (3, 3_000),  # 1000 * 2 * 2 = 4000, but max_delay
        (40, 3_000),  # never an overflow
        (100_000, 3_000),
    ],
)
def test_delays_grow_up_to_their_maximum_less_at_most_a_quarter(attempt: Any, longest_ms: Any) -> None:
    for n in range(200):
        assert longest_ms * (1 - JITTER) - 1 <= delay_after(STEADY, attempt, f"r-{n}/s/1") <= longest_ms


def test_the_jitter_hangs_on_the_seed_alone_and_spreads() -> None:
    delays = [delay_after(DEFAULT, 1, f"r-{n}/s/1") for n in range(200)]
    assert delays == [delay_after(DEFAULT, 1, f"r-{n}/s/1") for n in range(200)]
    assert len(set(delays)) > 100


def test_delays_are_these_numbers_for_ever() -> None:
    assert [delay_after(STEADY, attempt, f"r-1/pods/{attempt}") for attempt in (1, 2, 3)] == [840, 1885, 2773]


@pytest.mark.parametrize(
    ("asked_ms", "waited_ms"),
    [
        (30_000, 30_000),  # more than the policy's 1 s: as asked, also beyond max_delay
        (10, None),  # less than the policy's: as the policy says
        (None, None),
    ],
)
def test_the_other_side_may_ask_for_more_time(asked_ms: Any, waited_ms: Any) -> None:
    decision = decided("rate_limited", STEADY, retry_after_ms=asked_ms)
    assert isinstance(decision, RetryAfter)
    assert decision.delay_ms == (waited_ms or delay_after(STEADY, 1, "r/s/1"))
    assert ("as the other side asks" in decision.reason) is (waited_ms is not None)


@pytest.mark.parametrize(
    ("elapsed_ms", "asked_ms", "again"),
    [
        (0, 60_000, True),  # 0 + 60 = 60 s
        (1, 60_000, False),  # 0.001 + 60 > 60 s
        (59_500, None, False),  # 59.5 + at least 0.75 > 60 s
        (-5_000, 60_000, True),  # the broker's clock went back: counts as 0
    ],
)
def test_no_attempt_begins_later_than_within(elapsed_ms: Any, asked_ms: Any, again: Any) -> None:
    decision = decided("timeout", STEADY, elapsed_ms=elapsed_ms, retry_after_ms=asked_ms)
    assert isinstance(decision, RetryAfter) is again
    if isinstance(decision, GiveUp):
        assert decision == GiveUp("attempt 2 would begin later than 1 min after the first", exhausted=True)


def test_the_decision_says_why_and_when() -> None:
    decision = decided("http_5xx", STEADY, attempt=2, retry_after_ms=120_000, elapsed_ms=-1_000)
    assert isinstance(decision, GiveUp)
    decision = decided("http_5xx", STEADY, attempt=2, retry_after_ms=20_000)
    assert isinstance(decision, RetryAfter)
    assert decision.reason == "http_5xx: attempt 2 of 4 failed, again in 20 s as the other side asks"


@pytest.mark.parametrize(
    ("duration_ms", "text"),
    [(0, "0 ms"), (999, "999 ms"), (1_500, "1.5 s"), (60_000, "1 min"), (90_000, "90 s"), (7_200_000, "2 h")],
)
def test_durations_for_people(duration_ms: Any, text: Any) -> None:
    assert seconds(duration_ms) == text
