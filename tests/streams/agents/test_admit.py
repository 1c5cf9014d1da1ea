"""admit: its rows settle with its decisions, and an input that comes again changes nothing."""

import asyncio
from typing import Any

import pytest

from schemas.admissions import Candidate, PlaybookSwitched, RunEnded
from schemas.decisions import AdmissionDecided
from schemas.ids import run_id
from schemas.inbox import RunRequested, TimerFired
from tests.streams.agents.bench import AgentBench, admit_bench
from tests.streams.bench import Bench
from tests.streams.books import Followed, an_alert

DEMO = "demo"


def candidate(followed: Followed, number: int = 1, **fields: Any) -> Candidate:
    given = {
        "request_id": f"a-{number}",
        "playbook": DEMO,
        "revision": followed.catalog.playbooks[DEMO].digest,
        "catalog_offset": followed.catalog.offset,
        "run_id": run_id(DEMO, f"a-{number}"),
        "alert": an_alert(number),
    }
    return Candidate(**{**given, **fields})


@pytest.fixture
def followed() -> Followed:
    return Followed()


@pytest.fixture
async def one(bench: Bench, followed: Followed) -> AgentBench:
    return await admit_bench(bench, followed)


async def test_a_candidate_that_may_start_becomes_a_request_with_all_it_pins(
    one: AgentBench, followed: Followed
) -> None:
    sent = dict(await one.take(candidate(followed), DEMO))
    request = sent["run-inbox"]
    assert isinstance(request, RunRequested)
    assert [action.name for action in request.actions] == ["noop"]
    assert request.run_url == f"https://p/runs/{request.run_id}"
    assert isinstance(sent["decisions"], AdmissionDecided) and sent["decisions"].decision == "started"
    assert one.bench.consumer.acked == [0]


async def test_it_waits_until_the_catalog_is_where_the_candidate_was_made(
    one: AgentBench, followed: Followed
) -> None:
    await one.take(candidate(followed, catalog_offset=99), DEMO)
    assert followed.waited == [99]


async def test_a_catalog_offset_that_never_comes_refuses_one_candidate_and_no_more(
    one: AgentBench, followed: Followed, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(offset: int) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr("streams.handling.CATALOG_WITHIN_S", 0.01)
    monkeypatch.setattr(followed, "reached", never)
    sent = dict(await one.take(candidate(followed, revision="unknown"), DEMO))
    assert sent["decisions"].decision == "refused"


async def test_a_redelivered_candidate_starts_nothing_and_writes_its_rows_again(
    one: AgentBench, followed: Followed
) -> None:
    await one.take(candidate(followed), DEMO)
    first = one.written()
    assert await one.take(candidate(followed), DEMO, offset=0) == []
    assert {key for key, _ in one.written()} <= {key for key, _ in first}
    assert one.bench.consumer.acked == [0, 0]


async def test_a_repeated_request_is_answered_with_the_first_decision(
    one: AgentBench, followed: Followed
) -> None:
    first = dict(await one.take(candidate(followed), DEMO))
    again = await one.take(candidate(followed), DEMO)
    assert [topic for topic, _ in again] == ["decisions"]
    assert again[0][1].decision == first["decisions"].decision == "started"


async def test_a_playbook_that_was_disabled_on_the_topic_is_held_back(
    one: AgentBench, followed: Followed
) -> None:
    made = candidate(followed)
    assert await one.take(PlaybookSwitched(playbook=DEMO, enabled=False, catalog_offset=9), DEMO) == []
    [(_, decided)] = await one.take(made, DEMO)
    assert (decided.decision, decided.rule) == ("held_back", "disabled")


async def test_the_catalog_of_the_moment_decides_nothing_so_a_crash_after_sending_cannot_contradict(
    one: AgentBench, followed: Followed
) -> None:
    """Sent, and killed before the row was there: the same input comes again, and the catalog has moved on."""
    made = candidate(followed)
    first = await one.take(made, DEMO)
    one.ledger.revoke([0])
    rows = one.bench.table().store.rows_after(0, None, 99)
    one.bench.table().store.write(0, {key: None for key, _ in rows}, None)
    await one.ledger.assigned([0])
    followed.switch(False)
    again = await one.take(made, DEMO, offset=0)
    assert again == first
    assert [type(record).__name__ for _, record in again] == ["RunRequested", "AdmissionDecided"]


async def test_a_key_that_is_not_the_playbook_is_a_dead_letter(one: AgentBench, followed: Followed) -> None:
    [(topic, letter)] = await one.take(candidate(followed), "other")
    assert (topic, letter.reason) == ("dead-letters", "the key is not that of the record")
    [(topic, letter)] = await one.take(candidate(followed), b"\xff\xfe")
    assert (topic, letter.reason) == ("dead-letters", "the key is not UTF-8 text")


async def test_ends_and_timers_of_nothing_known_change_nothing(one: AgentBench) -> None:
    ended = RunEnded(run_id="r-unknown", playbook=DEMO, key="k", status="succeeded")
    assert await one.take(ended, DEMO) == []
    assert await one.take(TimerFired(row=f"{DEMO}@r-unknown", timer="slot", due_ms=0), DEMO) == []
    assert one.bench.consumer.acked == [0, 1]


async def test_an_error_inside_is_a_dead_letter_and_changes_no_row(
    one: AgentBench, followed: Followed, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr("streams.agents.admit.admit", broken)
    [(topic, letter)] = await one.take(candidate(followed), DEMO)
    assert topic == "dead-letters"
    assert "ZeroDivisionError at test_admit.py" in letter.reason
    assert one.written() == []
