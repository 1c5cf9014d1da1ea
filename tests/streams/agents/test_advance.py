"""advance: journal and row of each input; and what happens when the engine, a row or an input is not
right.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from engine.run import advancing as run_rows
from engine.run.state import Run
from schemas.events import JournalRecord, Reported, RunFinished, RunStarted, StepRequested
from schemas.inbox import Limits, RunRequested, TimerFired
from schemas.topics import RUN_INBOX
from streams.agents.advance import Advance
from tests.streams.agents.bench import AgentBench, advance_bench
from tests.streams.bench import Bench
from tests.streams.books import PINNED, Followed, an_alert, finished

RUN = "r-1"


def requested(followed: Followed, run_id: str = RUN, **fields: Any) -> RunRequested:
    given = {
        "playbook": "demo",
        "revision": followed.catalog.playbooks["demo"].digest,
        "catalog_offset": followed.catalog.offset,
        "engine": 1,
        "request_id": "a-1",
        "via": "alert",
        "alert": an_alert(),
        "actions": (PINNED,),
    }
    return RunRequested(run_id=run_id, **{**given, **fields})


@pytest.fixture
def followed() -> Followed:
    return Followed()


@pytest.fixture
async def one(bench: Bench, followed: Followed) -> AgentBench:
    return await advance_bench(bench, followed)


def events(sent: Sequence[tuple[str, Any]]) -> list[Any]:
    return [event for topic, record in sent if topic == "run-journal" for event in record.events]


def row(one: AgentBench, run_id: str = RUN) -> Run | None:
    found = one.ledger.get(0, run_id)
    assert found is None or isinstance(found, Run)
    return found


async def test_a_run_goes_from_request_to_end_with_seqs_without_a_gap(
    one: AgentBench, followed: Followed
) -> None:
    sent = await one.take(requested(followed), RUN)
    for step in ("one", "two", "three"):
        sent += await one.take(finished(RUN, step, len(sent)), RUN)
    journal = [record for topic, record in sent if topic == "run-journal"]
    assert [record.seq for record in journal] == [1, 2, 3, 4]
    assert [record.cause_offset for record in journal] == [0, 1, 2, 3]
    assert {record.cause_topic for record in journal} == {RUN_INBOX.name}
    assert isinstance(journal[0].events[0], RunStarted)
    assert isinstance(journal[-1].events[-1], RunFinished)
    assert [topic for topic, _ in sent if topic != "run-journal"] == ["admissions"]


async def test_a_redelivered_input_leaves_no_second_journal_record_and_its_row_is_written_again(
    one: AgentBench, followed: Followed
) -> None:
    await one.take(requested(followed), RUN)
    before = one.bench.table().row(0, RUN.encode())
    one.written()
    assert await one.take(requested(followed), RUN, offset=0) == []
    assert one.written() == [(RUN.encode(), False)]
    assert one.bench.table().row(0, RUN.encode()) == before
    assert one.bench.consumer.acked == [0, 0]


async def test_an_input_that_changes_nothing_writes_nothing(one: AgentBench) -> None:
    assert await one.take(TimerFired(row="r-unknown", timer="t", due_ms=0), "r-unknown") == []
    assert one.written() == []
    assert one.bench.consumer.acked == [0]


async def test_an_error_in_the_engine_fails_the_run_and_keeps_the_input_as_a_dead_letter(
    one: AgentBench, followed: Followed, monkeypatch: pytest.MonkeyPatch
) -> None:
    await one.take(requested(followed), RUN)

    def broken(*_: Any) -> Any:
        raise IndexError("secret words")

    monkeypatch.setattr("streams.agents.advance.advance", broken)
    sent = await one.take(finished(RUN, "one", 1), RUN)
    assert [topic for topic, _ in sent] == ["run-journal", "admissions", "dead-letters"]
    [ended] = [event for event in events(sent) if isinstance(event, RunFinished)]
    assert (ended.status, ended.kind) == ("failed", "internal")
    assert any(isinstance(event, Reported) for event in events(sent))
    assert "IndexError at test_advance.py" in sent[-1][1].reason
    assert "secret" not in sent[-1][1].reason + sent[-1][1].detail
    after = row(one)
    assert after is not None and after.status == "failed"


async def test_what_cannot_be_written_fails_the_run_with_the_reason(
    one: AgentBench, followed: Followed, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = Limits(record_bytes_max=10**9, row_bytes_max=10**9, step_output_bytes_max=10**9)
    await one.take(requested(followed, limits=limits), RUN)
    sent = await one.take(finished(RUN, "one", 1, output="x" * 200_000), RUN)
    ended = next(event for event in events(sent) if isinstance(event, RunFinished))
    assert ended.kind == "internal"
    assert "at most 100000 are written" in ended.message


async def test_a_revision_that_is_not_known_fails_the_run(one: AgentBench, followed: Followed) -> None:
    sent = await one.take(requested(followed, revision="0" * 64), RUN)
    ended = next(event for event in events(sent) if isinstance(event, RunFinished))
    assert "is not in the catalog" in ended.message


async def test_garbage_and_a_wrong_key_are_dead_letters(one: AgentBench, followed: Followed) -> None:
    for record, key in ((b"garbage", RUN), (b"\xc3\x01" + b"x" * 30, RUN), (requested(followed), "r-2")):
        [(topic, letter)] = await one.take(record, key)
        assert (topic, letter.stage) == ("dead-letters", "advance")
    assert one.bench.consumer.acked == [0, 1, 2]
    assert row(one) is None


async def test_a_stale_row_is_rebuilt_from_the_journal_before_going_on(
    bench: Bench, followed: Followed
) -> None:
    other = await advance_bench(bench, followed)
    sent = await other.take(requested(followed), RUN)
    sent += await other.take(finished(RUN, "one", 1), RUN)
    journal: list[JournalRecord] = [record for topic, record in sent if topic == "run-journal"]
    asked: list[str] = []

    async def rebuild(run_id: str) -> list[JournalRecord]:
        asked.append(run_id)
        return journal

    one = await _stale(bench, followed, rebuild)
    sent = await one.take(finished(RUN, "two", 2), RUN, offset=2)
    assert asked == [RUN]
    [record] = [record for topic, record in sent if topic == "run-journal"]
    assert record.seq == 3
    assert any(isinstance(event, StepRequested) and event.step == "three" for event in record.events)


async def test_two_journal_records_of_one_seq_that_differ_are_an_alarm_and_the_first_one_holds(
    bench: Bench, followed: Followed, caplog: pytest.LogCaptureFixture
) -> None:
    other = await advance_bench(bench, followed)
    sent = await other.take(requested(followed), RUN)
    sent += await other.take(finished(RUN, "one", 1), RUN)
    journal: list[JournalRecord] = [record for topic, record in sent if topic == "run-journal"]
    odd = msgspec.structs.replace(journal[-1], events=())

    async def rebuild(run_id: str) -> list[JournalRecord]:
        return [*journal, odd]

    one = await _stale(bench, followed, rebuild)
    sent = await one.take(finished(RUN, "two", 2), RUN, offset=2)
    [record] = [record for topic, record in sent if topic == "run-journal"]
    assert (record.seq, f"run {RUN} has two journal records 2 that differ" in caplog.text) == (3, True)
    assert bench.metrics.registry.get_sample_value("pulsebook_journal_contradictions_total") == 1


async def _stale(bench: Bench, followed: Followed, rebuild: Any) -> AgentBench:
    """A worker that knows nothing of the run."""
    ledger = await bench.ledger("stale", run_rows.encode_row, run_rows.decode_row)
    return AgentBench(bench, Advance(ledger, bench.outbox, bench.metrics, followed, rebuild), ledger)


async def test_an_input_that_the_journal_has_already_only_brings_the_row_back(
    bench: Bench, followed: Followed
) -> None:
    other = await advance_bench(bench, followed)
    sent = await other.take(requested(followed), RUN)
    sent += await other.take(finished(RUN, "one", 1), RUN)
    journal = [record for topic, record in sent if topic == "run-journal"]

    async def rebuild(run_id: str) -> list[Any]:
        return journal

    one = await _stale(bench, followed, rebuild)
    assert await one.take(finished(RUN, "one", 1), RUN, offset=1) == []
    assert row(one) == row(other)


async def test_an_answer_to_what_the_journal_does_not_know_changes_nothing(
    bench: Bench, followed: Followed
) -> None:
    async def rebuild(run_id: str) -> list[Any]:
        return []

    one = await _stale(bench, followed, rebuild)
    assert await one.take(finished(RUN, "one", 7), RUN) == []
    assert one.bench.consumer.acked == [0]
