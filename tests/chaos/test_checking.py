"""The checker, fed with tampered histories: it finds each thing that it is there to find, and names it."""

import dataclasses
from collections.abc import Callable, Sequence

import pytest
from msgspec.structs import replace

from connectors.event_log import Entry
from engine.posting import REPEAT_TAG
from schemas.codec import encode
from schemas.decisions import AdmissionDecided, AlertMatched
from schemas.events import JournalRecord, Reported, RunFinished, StepGranted, StepSucceeded
from schemas.fields import Record
from tests.chaos.checking import Violation, check
from tests.chaos.history import Call, History
from tests.chaos.honest import Honest
from tests.chaos.reading import Reading

ALERTS = 5
Tamper = Callable[[History], History]


@pytest.fixture(scope="module")
def honest() -> History:
    made = Honest()
    for number in range(ALERTS):
        made.alert(number)
    return made.settle()


def without(history: History, topic: str, drop: Callable[[Entry], bool]) -> History:
    return with_topic(history, topic, [entry for entry in history.of(topic) if not drop(entry)])


def with_topic(history: History, topic: str, entries: Sequence[Entry]) -> History:
    return dataclasses.replace(history, topics={**history.topics, topic: tuple(entries)})


def holds(record: type[Record]) -> Callable[[Entry], bool]:
    """Whether an entry is such a record, or has such an event."""

    def found(entry: Entry) -> bool:
        one = entry.record
        events = one.events if isinstance(one, JournalRecord) else ()
        return isinstance(one, record) or any(isinstance(event, record) for event in events)

    return found


def first(history: History, topic: str, record: type[Record]) -> Entry:
    return next(filter(holds(record), history.of(topic)))


def rewritten(entry: Entry, record: Record, offset: int | None = None) -> Entry:
    return dataclasses.replace(entry, value=encode(record), offset=entry.offset if offset is None else offset)


def rules(violations: Sequence[Violation]) -> set[str]:
    return {one.rule for one in violations}


def test_an_honest_history_has_nothing_wrong_and_is_no_empty_one(honest: History) -> None:
    assert check(honest) == []
    reading = Reading(honest)
    ended = [event for _, event, _ in reading.events() if isinstance(event, RunFinished)]
    assert [one.status for one in ended] == ["succeeded"] * ALERTS
    assert len(reading.reported) == 2 * ALERTS
    assert len(honest.calls) == 2 * ALERTS
    assert any(one.decision == "queued" for log in reading.decided.values() for one in log)


def test_an_accepted_alert_that_is_gone_is_named(honest: History) -> None:
    lost = dataclasses.replace(honest, accepted=honest.accepted | {"a-lost"}, produced=frozenset({(0, 99)}))
    assert [one.ids for one in check(lost)] == [("a-lost", "alerts/0@99")]


def test_garbage_on_alerts_must_be_a_dead_letter(honest: History) -> None:
    garbage = Entry("alerts", 0, 77, 1, None, b"\x8fgarbage", ())
    (found,) = check(with_topic(honest, "alerts", [*honest.of("alerts"), garbage]))
    assert str(found) == "alert without decision: alerts/0@77 is no dead letter"


def test_an_alert_without_a_decision_is_named(honest: History) -> None:
    gone = first(honest, "decisions", AlertMatched)
    (found,) = check(without(honest, "decisions", lambda entry: entry is gone))
    assert found.rule == "alert without decision"
    assert isinstance(gone.record, AlertMatched)
    assert found.ids == (gone.record.alert_id,)


def test_a_match_without_its_candidate_is_found(honest: History) -> None:
    gone = honest.of("admissions")[0]
    assert "match without candidate" in rules(check(without(honest, "admissions", lambda one: one is gone)))


def test_a_decision_that_was_lost_and_one_that_was_made_up_are_told_apart(honest: History) -> None:
    gone = first(honest, "decisions", AdmissionDecided)
    assert isinstance(gone.record, AdmissionDecided)
    other = rewritten(gone, replace(gone.record, reason="because"))
    swapped = [other if entry is gone else entry for entry in honest.of("decisions")]
    found = {one.rule: one.ids for one in check(with_topic(honest, "decisions", swapped))}
    missing, invented = found["decisions that differ from their admissions"]
    assert missing.startswith("decision that is missing")
    assert invented.startswith("decision that nothing explains")


def test_a_candidate_that_nobody_decided_about_is_named(honest: History) -> None:
    gone = first(honest, "decisions", AdmissionDecided).record
    assert isinstance(gone, AdmissionDecided)
    silent = without(
        honest,
        "decisions",
        lambda entry: isinstance(entry.record, AdmissionDecided) and entry.record.run_id == gone.run_id,
    )
    assert "candidate without end" in rules(check(silent))


def test_a_candidate_that_is_queued_for_ever_is_found(honest: History) -> None:
    stuck = without(
        honest,
        "decisions",
        lambda entry: (
            isinstance(entry.record, AdmissionDecided)
            and entry.record.decision == "started"
            and entry.record.rule != ""
        ),
    )
    later = without(honest, "admissions", lambda entry: entry.offset > 4)
    later = with_topic(later, "decisions", stuck.of("decisions"))
    assert "candidate without end" not in rules(check(later)), "its row will still move"
    overdue = dataclasses.replace(later, now_ms=later.now_ms + 30 * 86_400_000)
    assert "candidate without end" in rules(check(overdue))


@pytest.mark.parametrize(("record", "rule"), [(RunFinished, "run that is stuck")])
def test_a_run_that_never_ends_is_stuck_once_its_timers_are_over(
    honest: History, record: type[Record], rule: str
) -> None:
    gone = first(honest, "run-journal", record)
    assert isinstance(gone.record, JournalRecord)
    cut = without(honest, "run-journal", lambda entry: entry is gone)
    cut = without(cut, "run-inbox", lambda entry: entry.offset == gone.record.cause_offset)  # type: ignore[union-attr] # asserted
    assert rule not in rules(check(cut)), "its timers are still to come"
    overdue = dataclasses.replace(cut, now_ms=cut.now_ms + 7 * 86_400_000)
    (stuck,) = [one for one in check(overdue) if one.rule == rule]
    assert gone.record.run_id in stuck.ids[0]


def test_a_run_that_was_started_and_has_no_journal_is_named(honest: History) -> None:
    run_id = next(iter(Reading(honest).journal))
    gone = without(honest, "run-journal", lambda entry: entry.key == run_id.encode())
    found = {one.rule: one.ids for one in check(gone)}
    assert found["started without run"] == (run_id,)
    assert any(run_id in one for one in found["journal that differs from its inbox"])


def test_a_gap_in_a_journal_is_found(honest: History) -> None:
    gone = first(honest, "run-journal", StepGranted)
    found = check(without(honest, "run-journal", lambda entry: entry is gone))
    assert {"gap in a journal", "journal that differs from its inbox"} <= rules(found)


def test_a_repeat_is_fine_and_a_repeat_that_differs_is_not(honest: History) -> None:
    one = first(honest, "run-journal", StepSucceeded)
    assert isinstance(one.record, JournalRecord)
    end = len(honest.of("run-journal"))
    repeat = rewritten(one, one.record, end)
    assert check(with_topic(honest, "run-journal", [*honest.of("run-journal"), repeat])) == []
    other = rewritten(one, replace(one.record, at_ms=one.record.at_ms + 1), end)
    found = check(with_topic(honest, "run-journal", [*honest.of("run-journal"), other]))
    assert {"repeat that differs", "journal that differs from its inbox"} <= rules(found)


def test_an_input_that_left_no_journal_is_found(honest: History) -> None:
    """As after a commit that ran ahead: the answer was read, acked and forgotten."""
    last = [entry for entry in honest.of("run-journal") if holds(RunFinished)(entry)][-1]
    assert isinstance(last.record, JournalRecord)
    found = check(without(honest, "run-journal", lambda entry: entry is last))
    (differs,) = [one for one in found if one.rule == "journal that differs from its inbox"]
    assert differs.ids == (f"{last.record.run_id}/{last.record.seq} is not in the journal",)


def test_a_slot_that_was_never_given_back_is_found(honest: History) -> None:
    gone = honest.of("admissions")[-1]
    found = check(without(honest, "admissions", lambda entry: entry is gone))
    assert "end that admission never heard of" in rules(found)


def test_a_second_call_of_an_unrepeatable_step_is_found_whatever_crashed(honest: History) -> None:
    act = next(call for call in honest.calls if call.path == "/act")
    twice = dataclasses.replace(honest, calls=[*honest.calls, act], disturbed=True)
    (found,) = check(twice)
    assert str(found) == f"unrepeatable step called twice: {act.key}: 2 calls"


def test_a_second_call_of_a_repeatable_step_needs_a_crash_and_comes_before_its_end(honest: History) -> None:
    note = next(call for call in honest.calls if call.path == "/note")
    twice = dataclasses.replace(honest, calls=[*honest.calls, note])
    assert rules(check(twice)) == {"repeat without a reason"}
    assert check(dataclasses.replace(twice, disturbed=True)) == []
    late = dataclasses.replace(note, at_ms=note.at_ms + 10_000)
    again = dataclasses.replace(honest, calls=[*honest.calls, late], disturbed=True)
    (found,) = check(again)
    assert found.rule == "step started after its end"
    assert found.ids[0].startswith(note.key)


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
    twice = dataclasses.replace(honest, posts=[*honest.posts, honest.posts[0]], disturbed=True)
    assert rules(check(twice)) == {"repeated post without a tag"}
    tagged = [*honest.posts, (*honest.posts[0], REPEAT_TAG)]
    assert check(dataclasses.replace(honest, posts=tagged, disturbed=True)) == []
    assert rules(check(dataclasses.replace(honest, posts=tagged))) == {"repeat without a reason"}


@pytest.mark.parametrize(
    ("changelog", "rule"),
    [
        ("processor-runs-changelog", "run row that differs"),
        ("processor-admissions-changelog", "admission row that differs"),
        ("sink-notified-changelog", "sink row that differs"),
    ],
)
def test_a_row_that_is_behind_its_inputs_is_found(honest: History, changelog: str, rule: str) -> None:
    """As after a kill where the changelog lagged, and the input was not read again."""
    key = honest.of(changelog)[-1].key
    stale = [entry for entry in honest.of(changelog) if entry.key == key][:-1]
    others = [entry for entry in honest.of(changelog) if entry.key != key]
    assert rules(check(with_topic(honest, changelog, [*others, *stale]))) == {rule}


def test_a_watermark_that_covers_what_never_came_is_found(honest: History) -> None:
    mark = Entry(
        "processor-runs-changelog", 0, 9_999, 1, b"\x00watermark", (10_000).to_bytes(8, "big") + b"id", ()
    )
    runs = [*honest.of("processor-runs-changelog"), mark]
    assert "watermark beyond its topic" in rules(check(with_topic(honest, "processor-runs-changelog", runs)))


def test_a_dead_letter_that_nothing_explains_is_found(honest: History) -> None:
    odd = Entry("admissions", 0, 500, 1, b"honest", b"garbage", ())
    found = check(with_topic(honest, "admissions", [*honest.of("admissions"), odd]))
    assert [str(one) for one in found] == ["letter that differs: admissions/0@500 is no dead letter"]


def test_reports_are_counted_by_their_place_in_the_record(honest: History) -> None:
    reading = Reading(honest)
    assert any(isinstance(event, Reported) for _, event, _ in reading.events())
    assert set(reading.published) == set(reading.reported)
