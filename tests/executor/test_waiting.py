"""Whose turn it is: slots, claims and grants."""

from executor.config import Identity
from executor.open_steps import OpenStep
from executor.waiting import GRANT_MARGIN_MS, WaitingSteps
from tests.executor.records import EARLIER_ME, FAR_MS, ME, OTHER, granted, requested


def waits(
    step: str, *, repeatable: bool = False, to: Identity | None = None, start_by_ms: int = 9_000
) -> OpenStep:
    request = requested(step, repeatable=repeatable, start_by_ms=start_by_ms)
    opened = OpenStep("r-1", 1, request, 0, 0, 100)
    if to is not None:
        opened.grant = granted(step, to)
    return opened


def given(*steps: OpenStep, claims_ahead: int = 2) -> WaitingSteps:
    waiting = WaitingSteps(ME, claims_ahead)
    for step in steps:
        assert waiting.add(step)
    return waiting


def claimed(waiting: WaitingSteps, free_slots: int = 0) -> list[str]:
    steps = []
    while (step := waiting.next_to_claim(free_slots)) is not None:
        steps.append(step.request.step)
    return steps


def run(waiting: WaitingSteps, may_run_granted: bool = True) -> list[str]:
    steps = []
    while (step := waiting.next_to_run(may_run_granted)) is not None:
        steps.append(step.request.step)
    return steps


def test_repeatable_steps_run_in_their_order_without_a_claim() -> None:
    waiting = given(waits("a", repeatable=True), waits("b", repeatable=True))
    assert claimed(waiting) == []
    assert run(waiting) == ["a", "b"]


def test_an_unrepeatable_step_is_claimed_and_runs_when_it_is_granted_to_us() -> None:
    step = waits("a")
    waiting = given(step)
    assert run(waiting) == []
    assert claimed(waiting) == ["a"]
    step.grant = granted("a", ME)
    assert waiting.granted(step)
    assert run(waiting) == ["a"]
    assert len(waiting) == 0


def test_a_repeated_grant_starts_nothing_twice() -> None:
    step = waits("a")
    waiting = given(step)
    claimed(waiting)
    step.grant = granted("a", ME)
    waiting.granted(step)
    waiting.granted(step)
    assert run(waiting) == ["a"]


def test_a_step_granted_to_another_instance_is_not_ours() -> None:
    step = waits("a")
    waiting = given(step)
    claimed(waiting)
    step.grant = granted("a", OTHER)
    assert not waiting.granted(step)
    assert not WaitingSteps(ME, 2).add(step)


def test_a_step_granted_to_our_earlier_boot_is_claimed_again() -> None:
    waiting = given(waits("a", to=EARLIER_ME))
    assert run(waiting) == []
    assert claimed(waiting) == ["a"]


def test_a_step_granted_to_a_later_boot_of_ours_is_not_ours() -> None:
    later = Identity(ME.instance, "boot-3", ME.booted_at_ms + 1)
    assert not WaitingSteps(ME, 2).add(waits("a", to=later))


def test_a_step_granted_to_this_boot_runs_without_a_new_claim() -> None:
    waiting = given(waits("a", to=ME))
    assert claimed(waiting) == []
    assert run(waiting) == ["a"]


def test_claims_are_bounded_and_a_grant_that_started_makes_room() -> None:
    steps = [waits(name) for name in "abc"]
    waiting = given(*steps, claims_ahead=2)
    assert claimed(waiting) == ["a", "b"]
    steps[0].grant = granted("a", ME)
    waiting.granted(steps[0])
    assert claimed(waiting) == []
    assert run(waiting) == ["a"]
    assert claimed(waiting) == ["c"]


def test_free_slots_let_more_be_claimed_than_a_few_ahead() -> None:
    waiting = given(*(waits(name) for name in "abcde"), claims_ahead=2)
    assert claimed(waiting, free_slots=4) == ["a", "b", "c", "d"]
    assert claimed(waiting, free_slots=0) == []


def test_a_granted_step_is_given_up_before_its_grant_ends() -> None:
    step = waits("a", to=ME, start_by_ms=FAR_MS)
    step.grant = granted("a", ME, until_ms=60_000)
    waiting = given(step)
    assert waiting.expired(60_000 - GRANT_MARGIN_MS - 1) == []
    assert waiting.expired(60_000 - GRANT_MARGIN_MS) == [step]


def test_granted_steps_go_first() -> None:
    waiting = given(waits("a", repeatable=True), waits("b", to=ME))
    assert run(waiting) == ["b", "a"]


def test_without_membership_granted_steps_wait_and_repeatable_ones_run() -> None:
    waiting = given(waits("a", repeatable=True), waits("b", to=ME))
    assert run(waiting, may_run_granted=False) == ["a"]
    assert run(waiting) == ["b"]


def test_steps_that_closed_meanwhile_are_passed_over() -> None:
    steps = [waits("a", repeatable=True), waits("b", to=ME), waits("c")]
    waiting = given(*steps)
    for step in steps:
        step.open = False
    assert (run(waiting), claimed(waiting)) == ([], [])


def test_steps_that_may_no_longer_start_wait_no_more_wherever_they_wait() -> None:
    ready, to_claim, late = (
        waits("a", repeatable=True),
        waits("b"),
        waits("c", repeatable=True, start_by_ms=9_500),
    )
    waiting = given(ready, waits("d", to=ME), waits("e"), to_claim, late, claims_ahead=2)
    claimed(waiting)
    assert [step.request.step for step in waiting.expired(8_999)] == []
    assert sorted(step.request.step for step in waiting.expired(9_000)) == ["a", "b", "d", "e"]
    assert (run(waiting), claimed(waiting), len(waiting)) == (["c"], [], 0)


def test_a_closed_step_gives_its_claim_back_when_tidied() -> None:
    first, second = waits("a"), waits("b")
    waiting = given(first, second, claims_ahead=1)
    claimed(waiting)
    first.open = False
    waiting.tidy()
    assert claimed(waiting) == ["b"]
