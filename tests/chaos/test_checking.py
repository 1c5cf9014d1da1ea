"""The checker, fed with tampered histories: it finds each thing that it is there to find, and names it."""

import dataclasses
from pathlib import Path

import pytest
from msgspec.structs import replace

from connectors.event_log import Entry
from schemas.admissions import Candidate
from schemas.decisions import AdmissionDecided, AlertMatched
from schemas.events import JournalRecord, RunFinished, StepGranted, StepSucceeded
from schemas.fields import Record
from schemas.relations import Parent
from tests.chaos.checking import LOG_RULES, check
from tests.chaos.checking_effects import EFFECT_RULES
from tests.chaos.checking_reasons import REASON_RULES
from tests.chaos.checking_rows import ROW_RULES
from tests.chaos.history import History
from tests.chaos.reading import Reading
from tests.chaos.tampering import ALERTS, first, holds, honest_history, rewritten, rules, with_topic, without


@pytest.fixture(scope="module")
def honest() -> History:
    return honest_history()


def test_an_honest_history_has_nothing_wrong_and_is_no_empty_one(honest: History) -> None:
    assert check(honest) == []
    reading = Reading(honest)
    ended = [event for _, event, _ in reading.events() if isinstance(event, RunFinished)]
    assert [one.status for one in ended] == ["succeeded"] * ALERTS
    assert len(reading.reported_at) == 2 * ALERTS
    assert len(honest.calls) == 2 * ALERTS
    assert any(one.decision == "queued" for log in reading.decided.values() for one in log)


def test_an_accepted_alert_that_is_gone_is_named(honest: History) -> None:
    lost = dataclasses.replace(honest, accepted=honest.accepted | {"a-lost"}, produced=frozenset({(0, 99)}))
    assert [(one.rule, one.ids) for one in check(lost)] == [
        ("accepted but not kept", ("a-lost", "alerts/0@99"))
    ]


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


def test_a_run_that_nobody_started_is_named(honest: History) -> None:
    started = first(honest, "decisions", AdmissionDecided).record
    assert isinstance(started, AdmissionDecided)
    other = without(
        honest,
        "decisions",
        lambda entry: isinstance(entry.record, AdmissionDecided) and entry.record.run_id == started.run_id,
    )
    found = {one.rule: one.ids for one in check(other)}
    assert found["run without start"] == (started.run_id,)


def test_a_second_end_of_a_run_is_named(honest: History) -> None:
    end = first(honest, "run-journal", RunFinished)
    assert isinstance(end.record, JournalRecord)
    again = rewritten(end, replace(end.record, seq=end.record.seq + 1), len(honest.of("run-journal")))
    found = {
        one.rule: one.ids
        for one in check(with_topic(honest, "run-journal", [*honest.of("run-journal"), again]))
    }
    assert found["ended twice"] == (end.record.run_id,)


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


def test_a_child_that_no_run_asked_for_is_found(honest: History) -> None:
    one = first(honest, "admissions", Candidate)
    assert isinstance(one.record, Candidate)
    parent = Parent(run_id="r-nobody", step="child", seq=2, depth=1)
    other = replace(one.record, request_id="r-nobody/child", parent=parent)
    made_up = rewritten(one, other, len(honest.of("admissions")))
    found = {
        each.rule: each.ids
        for each in check(with_topic(honest, "admissions", [*honest.of("admissions"), made_up]))
    }
    (named,) = found["child that admission never heard of"]
    assert named.startswith("child that nothing explains")
    assert "r-nobody/child" in named


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


def test_every_rule_is_broken_by_a_tampered_history() -> None:
    """A rule that nothing can break would hold of everything."""
    asked = "".join(one.read_text() for one in Path(__file__).parent.glob("test_checking*.py"))
    rules_of_all = [*LOG_RULES, *EFFECT_RULES, *REASON_RULES, *ROW_RULES]
    assert [name for name in rules_of_all if f'"{name}' not in asked and f"{name}: " not in asked] == []
