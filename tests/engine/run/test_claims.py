"""Claims on unrepeatable steps: one executor, one boot, one attempt; what is left behind is unknown."""

from typing import Any

import pytest

from engine.run.requesting import SLACK_MS
from schemas.events import StepCancelled, StepClaimRefused, StepFailed, StepGranted
from tests.engine.run.given import ACTIONS, Life, a_playbook, a_step, names


def a_life(**fields: Any) -> Life:
    return Life(a_playbook(a_step("kill", action="touch", **fields), a_step("next")))


def a_granted_life(**fields: Any) -> Life:
    life = a_life(**fields)
    life.feed(life.claim("ex-1", "boot-1", 1_000))
    return life


@pytest.mark.parametrize(
    ("fields", "arguments", "repeatable"),
    [
        ({"action": "look"}, {}, True),
        ({"action": "touch"}, {}, False),
        ({"action": "touch", "repeatable": True}, {}, True),
        ({"action": "look", "repeatable": False}, {}, False),
        ({"action": "http.request"}, {}, True),
        ({"action": "http.request"}, {"method": "get"}, True),
        ({"action": "http.request"}, {"method": "post"}, False),
        ({"action": "http.request"}, {"method": "${{ 'Pa' + 'tch' }}"}, False),
        ({"action": "http.request", "repeatable": True}, {"method": "POST"}, True),
    ],
)
def test_whether_a_step_is_repeatable_is_settled_at_its_request(
    fields: Any, arguments: Any, repeatable: Any
) -> None:
    life = Life(a_playbook(a_step(**fields, arguments=arguments)), actions=ACTIONS)
    assert life.asked.repeatable is repeatable


def test_the_first_claim_is_granted_until_the_attempt_must_be_over() -> None:
    life = a_life(timeout_ms=20_000)
    (event,) = life.feed(life.claim("ex-1", "boot-1", 1_000))
    until_ms = life.at_ms + 20_000 + SLACK_MS
    assert event == StepGranted(
        step="kill", attempt=1, instance="ex-1", boot="boot-1", booted_at_ms=1_000, until_ms=until_ms
    )
    assert life.live.timers["deadline/kill/1"] == until_ms


def test_a_grant_never_outlives_the_attempts_deadline() -> None:
    life = a_life()
    life.feed(life.claim(), at_ms=life.asked.start_by_ms)
    assert life.live.timers["deadline/kill/1"] == life.asked.deadline_ms


def test_a_repeated_claim_of_the_same_boot_is_not_granted_again() -> None:
    life = a_granted_life()
    assert life.feed(life.claim("ex-1", "boot-1", 1_000)) == ()


def test_a_claim_of_another_instance_is_refused_once_while_the_grant_runs() -> None:
    life = a_granted_life()
    (event,) = life.feed(life.claim("ex-2", "boot-9", 9_000))
    assert event == StepClaimRefused(
        step="kill", attempt=1, instance="ex-2", boot="boot-9", reason="ex-1 holds the grant"
    )
    assert life.feed(life.claim("ex-2", "boot-9", 9_000)) == ()
    assert names(life.succeed(instance="ex-1", boot="boot-1")) == ["StepSucceeded", "StepRequested"]


def test_the_grant_keeps_its_deadline_when_another_claim_is_refused() -> None:
    life = a_granted_life()
    due_ms = life.live.timers["deadline/kill/1"]
    life.feed(life.claim("ex-2", "boot-9", 9_000))
    assert life.live.timers["deadline/kill/1"] == due_ms


def test_a_newer_boot_of_the_same_instance_makes_the_step_unknown() -> None:
    life = a_granted_life()
    events = life.feed(life.claim("ex-1", "boot-2", 2_000))
    assert isinstance(events[0], StepCancelled)
    assert isinstance(events[1], StepFailed)
    assert (events[1].status, events[1].kind) == ("unknown", "unknown")
    assert "ex-1 was restarted" in events[1].message
    assert life.finished.kind == "unknown"


def test_a_newer_boot_may_try_again_where_on_unknown_says_so() -> None:
    life = a_granted_life(on_unknown="retry")
    assert names(life.feed(life.claim("ex-1", "boot-2", 2_000))) == ["StepCancelled", "StepRetryScheduled"]
    life.fire("retry/")
    (event,) = life.feed(life.claim("ex-1", "boot-2", 2_000))
    assert isinstance(event, StepGranted) and event.attempt == 2


@pytest.mark.parametrize("booted_at_ms", [1_000, 999])
def test_an_older_boot_of_the_same_instance_is_refused(booted_at_ms: Any) -> None:
    life = a_granted_life()
    (event,) = life.feed(life.claim("ex-1", "boot-0", booted_at_ms))
    assert isinstance(event, StepClaimRefused)
    assert "newer boot" in event.reason


def test_a_claim_after_start_within_is_refused() -> None:
    life = a_life(start_within_ms=5_000)
    (event,) = life.feed(life.claim(), at_ms=life.asked.start_by_ms + 1)
    assert isinstance(event, StepClaimRefused)
    assert event.reason == "it came too late"


def test_a_repeatable_step_needs_no_claim() -> None:
    life = Life(a_playbook())
    assert life.feed(life.claim()) == ()


@pytest.mark.parametrize("fields", [{"attempt": 2}, {"attempt": 0}, {"step": "next"}, {"answers_seq": 0}])
def test_a_claim_on_what_is_not_under_way_means_nothing(fields: Any) -> None:
    life = a_life()
    assert life.feed(life.claim(**fields)) == ()


def test_a_claim_after_the_step_or_the_run_has_ended_means_nothing() -> None:
    life = a_granted_life()
    claim = life.claim("ex-2", "boot-9", 9_000)
    life.succeed(instance="ex-1", boot="boot-1")
    assert life.feed(claim) == ()
    life.cancel()
    assert life.feed(claim) == ()


def test_only_the_granted_boot_is_believed() -> None:
    life = a_granted_life()
    assert life.fail("timeout", "could not start in time", instance="ex-2", boot="boot-9") == ()
    assert life.succeed(instance="ex-1", boot="boot-2") == ()
    assert names(life.succeed(instance="ex-1", boot="boot-1")) == ["StepSucceeded", "StepRequested"]


def test_an_executor_that_could_not_start_may_say_so_without_a_grant() -> None:
    life = a_life()
    life.fail("timeout", "no slot within 10 min")
    assert (life.finished.kind, life.finished.message) == ("step", "no slot within 10 min")
