"""Whose turn it is: slots, claims and grants."""

from executor.config import Identity
from executor.open_steps import OpenStep
from executor.waiting import WaitingSteps
from tests.executor.records import EARLIER_ME, ME, OTHER, granted, requested


def waits(
    step: str, *, repeatable: bool = False, to: Identity | None = None, start_by_ms: int = 9_000
) -> OpenStep:
    request = requested(step, repeatable=repeatable, start_by_ms=start_by_ms)
    opened = OpenStep("r-1", 1, request, 0, 0, 100)
    if to is not None:
        opened.grant = granted(step, to)
    return opened


def given(*steps: OpenStep, claims_max: int = 2) -> WaitingSteps:
    waiting = WaitingSteps(ME, claims_max)
    for step in steps:
        assert waiting.add(step)
    return waiting


def claimed(waiting: WaitingSteps) -> list[str]:
    steps = []
    while (step := waiting.next_to_claim()) is not None:
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
    waiting = given(*steps, claims_max=2)
    assert claimed(waiting) == ["a", "b"]
    steps[0].grant = granted("a", ME)
    waiting.granted(steps[0])
    assert claimed(waiting) == []
    assert run(waiting) == ["a"]
    assert claimed(waiting) == ["c"]


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
    waiting = given(ready, waits("d", to=ME), waits("e"), to_claim, late, claims_max=2)
    claimed(waiting)
    assert [step.request.step for step in waiting.expired(8_999)] == []
    assert sorted(step.request.step for step in waiting.expired(9_000)) == ["a", "b", "d", "e"]
    assert (run(waiting), claimed(waiting), len(waiting)) == (["c"], [], 0)


def test_a_closed_step_gives_its_claim_back_when_tidied() -> None:
    first, second = waits("a"), waits("b")
    waiting = given(first, second, claims_max=1)
    claimed(waiting)
    first.open = False
    waiting.tidy()
    assert claimed(waiting) == ["b"]
