"""What the trace of an alert tells beyond its first run: recoveries, dead letters, reruns, long runs."""

from typing import Any

import pytest

from console import tracing_runs
from schemas import codec
from schemas.admissions import Candidate
from schemas.dead_letters import DeadLetterHandled
from schemas.events import RecoverySeen, StepSkipped
from schemas.ids import run_id
from schemas.topics import DEAD_LETTERS, DECISIONS, RUN_JOURNAL
from tests.console.conftest import Web
from tests.console.samples import (
    ALERT,
    FINISHED,
    LETTER,
    RUN,
    STARTED,
    WHOLE_RUN,
    decided,
    journal,
    matched,
    with_fields,
)

RECOVERY = "a-cccccccccccccccccccccccc"


async def trace_of(web: Web, alert_id: str = ALERT) -> dict[str, Any]:
    answer = await web.client.get(f"/api/v1/alerts/{alert_id}/trace")
    assert answer.status_code == 200, answer.text
    return answer.json()  # type: ignore[no-any-return]  # an object


async def test_it_says_when_the_decision_was_written_and_what_the_alert_said(web: Web) -> None:
    summary = with_fields(matched().summary, transition="Triggered", monitor_id="12", scope="host:a")
    await web.written(DECISIONS, ALERT, matched(summary=summary))
    (message,) = (each for held in web.log.messages.values() for each in held if each.topic == DECISIONS.name)

    alert = (await trace_of(web))["alert"]

    assert alert["decided_at_ms"] == message.at_ms
    assert (alert["transition"], alert["monitor_id"], alert["scope"]) == ("Triggered", "12", "host:a")


async def test_a_run_and_its_rerun_are_both_told_each_with_its_own_decisions(web: Web) -> None:
    again = with_fields(STARTED, via="rerun", actor="mira", request_id="q-9")
    rerun = decided("started", 9, run_id="r-again", request_id="q-9")
    await web.log.write(DECISIONS, ALERT, matched(), decided("started", 5), rerun)
    await web.log.write(RUN_JOURNAL, RUN, *WHOLE_RUN)
    await web.log.write(RUN_JOURNAL, "r-again", journal(1, again, run_id="r-again"))
    await web.read()

    restart = (await trace_of(web))["playbooks"][0]

    assert [each["run_id"] for each in restart["decisions"]] == [RUN, "r-again"]
    assert [(each["run_id"], each["via"], each["actor"]) for each in restart["runs"]] == [
        (RUN, "alert", ""),
        ("r-again", "rerun", "mira"),
    ]


async def test_the_steps_of_a_long_run_are_counted_beyond_the_first(web: Web) -> None:
    skipped = [StepSkipped(step=f"s{at:03}", reason="no") for at in range(tracing_runs.STEPS_MAX + 7)]
    await web.log.write(DECISIONS, ALERT, matched(), decided("started"))
    await web.written(RUN_JOURNAL, RUN, journal(1, STARTED, *skipped, FINISHED))

    (run,) = (await trace_of(web))["playbooks"][0]["runs"]

    assert (len(run["steps"]), run["steps_left_out"]) == (tracing_runs.STEPS_MAX, 7)
    assert run["steps"][0]["why"] == "no"


async def test_where_there_is_more_journal_than_a_trace_reads_the_run_is_told_without_its_steps(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracing_runs, "RECORDS_MAX", 1)
    await web.log.write(DECISIONS, ALERT, matched(), decided("started"))
    await web.written(RUN_JOURNAL, RUN, *WHOLE_RUN)

    (run,) = (await trace_of(web))["playbooks"][0]["runs"]

    assert (run["status"], run["steps"]) == ("succeeded", None)


async def test_a_recovery_tells_which_runs_heard_of_it_and_what_left_the_queue(web: Web) -> None:
    told = journal(2, RecoverySeen(alert_id=RECOVERY, recovered_at_ms=1_990))
    dropped = decided(
        "dropped",
        rule="on_recovered",
        reason=f"the alert recovered ({RECOVERY}) before there was a turn",
        playbook="page",
        run_id="r-page",
    )
    other = decided("dropped", 6, rule="disabled", reason=f"not by {RECOVERY}", run_id="r-other")
    await web.log.write(DECISIONS, RECOVERY, matched(RECOVERY, recovery=True, looked=()))
    await web.log.write(DECISIONS, ALERT, matched(), decided("started"), dropped, other)
    await web.written(RUN_JOURNAL, RUN, WHOLE_RUN[0], told)

    recovery = (await trace_of(web, RECOVERY))["recovery"]
    alert = await trace_of(web)

    assert recovery["heard"] == [{"alert_id": RECOVERY, "run_id": RUN, "at_ms": 2_000}]
    assert [(each["playbook"], each["run_id"]) for each in recovery["dropped"]] == [("page", "r-page")]
    assert alert["recovery"] is None
    assert alert["playbooks"][0]["runs"][0]["recoveries"] == recovery["heard"]


async def test_an_alert_nobody_could_read_names_its_dead_letter_and_what_was_done_about_it(web: Web) -> None:
    letter = with_fields(LETTER, partition=2, offset=7)
    await web.log.write(DECISIONS, ALERT, matched(unparsable="no JSON", looked=()))
    await web.written(DEAD_LETTERS, "k", letter)
    (place,) = [each for held in web.log.messages.values() for each in held if each.topic == "dead-letters"]
    handled = DeadLetterHandled(
        partition=place.partition,
        offset=place.offset,
        outcome="redriven",
        actor="mira",
        at_ms=9_000,
        reason="mended",
        topic="alerts",
        to_partition=2,
        to_offset=8,
    )
    await web.written(DEAD_LETTERS, "k", handled)
    await web.written(DECISIONS, "a-again", matched("a-again", offset=8))

    (told,) = (await trace_of(web))["dead_letters"]
    again = await trace_of(web, "a-again")

    assert (told["topic"], told["partition"], told["offset"], told["stage"]) == ("alerts", 2, 7, "match")
    assert (told["state"], told["reason"]) == ("redriven", "no JSON")
    (done,) = told["handled"]
    assert (done["actor"], done["reason"], done["lies_at"]) == ("mira", "mended", "alerts/2/8")
    assert (await trace_of(web))["alert"]["put_back"] is None
    assert again["alert"]["put_back"] == done
    assert again["dead_letters"] == []


@pytest.mark.parametrize("key", ["readable", "broken"])
async def test_what_of_its_runs_became_a_dead_letter_is_told_too(web: Web, key: str) -> None:
    named = run_id("restart", ALERT)
    candidate = Candidate(
        request_id=ALERT, playbook="restart", revision="d" * 64, catalog_offset=4, run_id=named
    )
    letter = with_fields(
        LETTER,
        topic="admissions" if key == "readable" else "run-inbox",
        stage="admit",
        reason="no room",
        key=b"restart" if key == "readable" else named.encode(),
        value=codec.encode(candidate) if key == "readable" else b"\xff",
    )
    await web.log.write(DECISIONS, ALERT, matched())
    await web.log.write(DEAD_LETTERS, "x", with_fields(LETTER, offset=12))
    await web.written(DEAD_LETTERS, "k", letter)

    assert [each["reason"] for each in (await trace_of(web))["dead_letters"]] == ["no room"]
