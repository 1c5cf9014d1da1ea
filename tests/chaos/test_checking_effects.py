"""The checker on calls, posts and responses: what is repeated, missing or made up, and what explains it."""

import dataclasses

import pytest
from msgspec.structs import replace

from engine.posting import REPEAT_TAG
from schemas.events import JournalRecord, Reported, StepFailed, StepGranted, StepSucceeded
from tests.chaos.checking import check
from tests.chaos.history import Call, Disturbance, History
from tests.chaos.reading import Reading
from tests.chaos.tampering import first, honest_history, rewritten, rules, with_topic, without


@pytest.fixture(scope="module")
def honest() -> History:
    return honest_history()


EVERYTHING = tuple(Disturbance(kind, 0, 2_000_000_000_000) for kind in ("executor", "sink", "target"))


def test_a_second_call_of_an_unrepeatable_step_is_found_whatever_crashed(honest: History) -> None:
    act = next(call for call in honest.calls if call.path == "/act")
    twice = dataclasses.replace(honest, calls=[*honest.calls, act], disturbances=EVERYTHING)
    (found,) = check(twice)
    assert str(found) == f"unrepeatable step called twice: {act.key}: 2 calls"


def test_a_second_call_of_a_repeatable_step_needs_a_crash_and_comes_before_its_end(honest: History) -> None:
    note = next(call for call in honest.calls if call.path == "/note")
    twice = dataclasses.replace(honest, calls=[*honest.calls, note])
    assert rules(check(twice)) == {"call repeated without a reason"}
    assert check(dataclasses.replace(twice, disturbances=EVERYTHING)) == []
    late = dataclasses.replace(note, at_ms=note.at_ms + 10_000)
    again = dataclasses.replace(honest, calls=[*honest.calls, late], disturbances=EVERYTHING)
    (found,) = check(again)
    assert found.rule == "step started after its end"
    assert found.ids[0].startswith(note.key)


@pytest.mark.parametrize("kind", ["processor", "web", "sink"])
def test_a_crash_of_another_is_no_reason_for_a_second_call(honest: History, kind: str) -> None:
    note = next(call for call in honest.calls if call.path == "/note")
    twice = dataclasses.replace(honest, calls=[*honest.calls, note])
    done = Disturbance(kind, note.at_ms - 5_000, note.at_ms + 5_000)
    assert rules(check(dataclasses.replace(twice, disturbances=[done]))) == {"call repeated without a reason"}


def test_a_crash_at_another_time_is_no_reason_for_a_second_call_or_post(honest: History) -> None:
    note = next(call for call in honest.calls if call.path == "/note")
    tagged = [*honest.posts, (*honest.posts[0], REPEAT_TAG)]
    twice = dataclasses.replace(honest, calls=[*honest.calls, note], posts=tagged)
    at_ms = honest.now_ms + 60_000
    later = [Disturbance(kind, at_ms, at_ms + 9_000) for kind in ("executor", "sink", "broker", "sandbox")]
    assert rules(check(dataclasses.replace(twice, disturbances=later))) == {
        "call repeated without a reason",
        "post repeated without a reason",
    }


def test_an_outcome_that_nobody_knows_needs_a_crash_of_who_carried_it_out(honest: History) -> None:
    one = first(honest, "run-journal", StepSucceeded)
    assert isinstance(one.record, JournalRecord)
    failed = StepFailed(step="note", attempt=1, kind="unknown", message="who knows", status="unknown")
    events = tuple(failed if isinstance(event, StepSucceeded) else event for event in one.record.events)
    other = rewritten(one, replace(one.record, events=events))
    changed = [other if entry is one else entry for entry in honest.of("run-journal")]
    unknown = with_topic(honest, "run-journal", changed)
    assert "unknown without a reason" in rules(check(unknown))
    killed = Disturbance("executor", one.at_ms - 1_000, one.at_ms)
    explained = check(dataclasses.replace(unknown, disturbances=[killed]))
    assert "unknown without a reason" not in rules(explained)
    other_one = dataclasses.replace(unknown, disturbances=[dataclasses.replace(killed, kind="processor")])
    assert "unknown without a reason" in rules(check(other_one))


def test_an_answer_or_a_recovery_that_was_accepted_and_lost_is_named(honest: History) -> None:
    run_id = next(iter(Reading(honest).journal))
    lost = dataclasses.replace(honest, answered={(run_id, "approve"): "act"}, recovered=frozenset([run_id]))
    found = {one.rule: one.ids for one in check(lost)}
    assert found == {
        "answer that was lost": (f"{run_id}/approve: act",),
        "recovery that was lost": (run_id,),
    }


def test_a_call_without_a_request_or_a_grant_is_found(honest: History) -> None:
    stray = Call("r-nobody/act/1", "POST", "/act", honest.now_ms)
    (found,) = check(dataclasses.replace(honest, calls=[*honest.calls, stray]))
    assert found.ids == ("r-nobody/act/1 was never requested",)
    grant = first(honest, "run-journal", StepGranted)
    ungranted = check(without(honest, "run-journal", lambda entry: entry is grant))
    assert "call that nobody requested" in rules(ungranted)


def test_a_success_that_never_reached_its_target_is_found(honest: History) -> None:
    (found,) = check(dataclasses.replace(honest, calls=honest.calls[1:]))
    assert (found.rule, found.ids) == ("success without a call", (honest.calls[0].key,))


def test_a_report_that_never_arrived_and_one_that_nobody_made_are_found(honest: History) -> None:
    assert rules(check(dataclasses.replace(honest, posts=honest.posts[1:]))) == {"report that never arrived"}
    made_up = [*honest.posts, ("pulsebook_id:r-x/1",)]
    assert rules(check(dataclasses.replace(honest, posts=made_up))) == {"post that nobody reported"}
    silent = without(honest, "publications", lambda entry: entry.offset == 0)
    assert rules(check(silent)) == {"report that never arrived"}


def test_a_report_that_was_posted_twice_must_say_so(honest: History) -> None:
    twice = dataclasses.replace(honest, posts=[*honest.posts, honest.posts[0]], disturbances=EVERYTHING)
    assert rules(check(twice)) == {"repeated post without a tag"}
    tagged = [*honest.posts, (*honest.posts[0], REPEAT_TAG)]
    assert check(dataclasses.replace(honest, posts=tagged, disturbances=EVERYTHING)) == []
    assert rules(check(dataclasses.replace(honest, posts=tagged))) == {"post repeated without a reason"}


def test_reports_are_counted_by_their_place_in_the_record(honest: History) -> None:
    reading = Reading(honest)
    assert any(isinstance(event, Reported) for _, event, _ in reading.events())
    assert set(reading.published) == set(reading.reported_at)
