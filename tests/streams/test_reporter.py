"""Posting: in order per run, many runs at once, as long as it takes, and marked where it may be a repeat."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from schemas.codec import decode
from schemas.dead_letters import DeadLetter
from schemas.events import JournalRecord, Reported, RunForgotten
from schemas.posting import EventToPost, Posted, PostLater, PostRefused, PostResult
from schemas.publications import Published, Refused
from streams import notified
from streams.agents.notify import Notify
from streams.ledger import Ledger
from streams.metrics import SinkMetrics
from streams.notified import Notified
from streams.reporter import Reporter
from tests.streams.agents.bench import AgentBench
from tests.streams.bench import PREFIX, Bench, settled

AT_MS = 1_795_000_000_000


class FakePoster:
    """Answers what it is told to, then accepts. Remembers what it was asked to post."""

    def __init__(self) -> None:
        self.events: list[EventToPost] = []
        self.answers: list[PostResult] = []
        self.at_once = 0
        self.most_at_once = 0
        self.wait = asyncio.Event()
        self.wait.set()

    async def post(self, event: EventToPost) -> PostResult:
        self.events.append(event)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await self.wait.wait()
        self.at_once -= 1
        return self.answers.pop(0) if self.answers else Posted(f"e-{len(self.events)}", "https://dd/e")

    def titles(self) -> list[str]:
        return [event.title for event in self.events]


class Sink(AgentBench):
    """notify with its reporter and a poster that is played."""

    poster: FakePoster
    reporter: Reporter

    def publications(self) -> list[Any]:
        return [decode(one.value) for one in self.bench.broker.of(f"{PREFIX}publications") if one.value]

    def letters(self) -> list[Any]:
        return [decode(one.value) for one in self.bench.broker.of(f"{PREFIX}dead-letters") if one.value]

    async def report(self, run_id: str, seq: int, *titles: str, offset: int | None = None) -> None:
        await self.take(journal(run_id, seq, *titles), run_id, offset=offset)

    def row(self, run_id: str) -> Notified | None:
        found = self.bench.table().row(0, run_id.encode())
        return None if found is None else notified.decode_row(found[8:])


def journal(run_id: str, seq: int, *titles: str) -> JournalRecord:
    events = tuple(Reported(kind="publish", title=title, text="t", alert_type="info") for title in titles)
    return JournalRecord(
        run_id=run_id,
        playbook="demo",
        seq=seq,
        cause_topic="run-inbox",
        cause_partition=0,
        cause_offset=seq,
        at_ms=AT_MS,
        events=events,
    )


async def made_sink(bench: Bench) -> Sink:
    ledger: Ledger[Notified] = await bench.ledger("notified", notified.encode_row, notified.decode_row)
    poster = FakePoster()
    metrics = SinkMetrics()
    reporter = Reporter(bench.app, ledger, bench.outbox, metrics, poster, wait_min_s=0.01)
    sink = Sink(bench, Notify(ledger, bench.outbox, metrics, reporter), ledger)
    sink.poster, sink.reporter = poster, reporter
    return sink


@pytest.fixture
async def sink(bench: Bench) -> AsyncIterator[Sink]:
    sink = await made_sink(bench)
    yield sink
    sink.poster.wait.set()
    await sink.reporter.stop()


async def test_a_report_is_posted_recorded_and_then_acked(sink: Sink) -> None:
    await sink.report("r-1", 3, "Done")
    [published] = sink.publications()
    assert isinstance(published, Published)
    assert (published.run_id, published.seq, published.index, published.event_id) == ("r-1", 3, 0, "e-1")
    assert published.sent["title"] == "Done"
    assert published.sent["tags"] == ["pulsebook_id:r-1/3"]
    assert sink.row("r-1") == Notified(3, 1)
    assert sink.bench.consumer.acked == [0]


async def test_records_without_reports_are_acked_and_nothing_is_posted(sink: Sink) -> None:
    await sink.report("r-1", 1)
    assert sink.poster.events == []
    assert sink.bench.consumer.acked == [0]


async def test_reports_of_one_run_are_posted_in_their_order_one_after_the_other(sink: Sink) -> None:
    sink.poster.wait.clear()
    for seq in (1, 2, 3):
        await sink.report("r-1", seq, f"a{seq}", f"b{seq}")
    assert sink.poster.titles() == ["a1"]
    sink.poster.wait.set()
    await asyncio.sleep(0.05)
    assert sink.poster.titles() == ["a1", "b1", "a2", "b2", "a3", "b3"]
    assert sink.poster.most_at_once == 1


async def test_many_runs_are_posted_at_once_within_a_bound_and_acked_in_order(sink: Sink) -> None:
    sink.poster.wait.clear()
    for number in range(50):
        await sink.report(f"r-{number}", 1, "Done")
    assert sink.poster.at_once == 32
    assert sink.bench.consumer.acked == []
    sink.poster.wait.set()
    await asyncio.sleep(0.1)
    assert len(sink.poster.events) == 50
    assert sink.bench.consumer.acked == list(range(50))


async def test_a_temporary_refusal_is_waited_out_for_as_long_as_it_takes(sink: Sink) -> None:
    sink.poster.answers = [PostLater(None, "503", 503)] * 4
    await sink.report("r-1", 1, "Done")
    await asyncio.sleep(0.3)
    [published] = sink.publications()
    assert published.attempts == 5
    assert not published.may_repeat
    assert sink.bench.consumer.acked == [0]


async def test_what_datadog_asks_to_wait_is_waited_by_all(sink: Sink) -> None:
    sink.poster.answers = [PostLater(0.2, "429", 429)]
    await sink.report("r-1", 1, "one")
    await sink.report("r-2", 1, "two")
    await asyncio.sleep(0.1)
    assert sink.poster.titles() == ["one"]
    await asyncio.sleep(0.2)
    assert sorted(sink.poster.titles()) == ["one", "one", "two"]


async def test_a_post_after_one_that_may_have_arrived_says_that_it_may_be_a_repeat(sink: Sink) -> None:
    sink.poster.answers = [PostLater(None, "timeout", may_have_happened=True)]
    await sink.report("r-1", 1, "Done")
    await asyncio.sleep(0.1)
    assert ["pulsebook_repeat:possible" in event.tags for event in sink.poster.events] == [False, True]
    assert sink.publications()[0].may_repeat


async def test_a_refusal_for_good_is_recorded_and_a_dead_letter_and_the_run_s_next_report_goes_on(
    sink: Sink,
) -> None:
    sink.poster.answers = [PostRefused(400, "no such tag")]
    await sink.report("r-1", 1, "bad", "good")
    refused, published = sink.publications()
    assert isinstance(refused, Refused) and (refused.status, refused.reason) == (400, "no such tag")
    assert isinstance(published, Published) and published.index == 1
    [letter] = sink.letters()
    assert isinstance(letter, DeadLetter) and letter.stage == "notify"
    assert sink.bench.consumer.acked == [0]


async def test_a_journal_record_that_comes_again_posts_nothing(sink: Sink) -> None:
    await sink.report("r-1", 3, "Done")
    await sink.report("r-1", 3, "Done", offset=0)
    await sink.report("r-1", 3, "Done", offset=7)
    assert sink.poster.titles() == ["Done"]
    assert sink.bench.consumer.acked == [0, 0, 7]


async def test_a_worker_that_takes_over_goes_on_after_what_was_told_and_marks_what_may_repeat(
    sink: Sink,
) -> None:
    sink.poster.wait.clear()
    await sink.report("r-1", 3, "first", "second")
    assert sink.row("r-1") == Notified(3, 0, trying=True)
    sink.reporter.revoke({0})
    sink.ledger.revoke({0})
    await settled()
    assert sink.bench.consumer.acked == []
    sink.bench.app.consumer_generation_id += 1
    await sink.ledger.assigned([0])
    sink.poster.events.clear()
    sink.poster.wait.set()
    again = sink.message(journal("r-1", 3, "first", "second"), "r-1")
    again.generation_id = sink.bench.app.consumer_generation_id
    await sink.agent.handle(again)
    await settled()
    assert sink.poster.titles() == ["first", "second"]
    assert ["pulsebook_repeat:possible" in event.tags for event in sink.poster.events] == [True, False]
    assert sink.row("r-1") == Notified(3, 2)


async def test_a_run_that_is_forgotten_leaves_no_row(sink: Sink) -> None:
    await sink.report("r-1", 3, "Done")
    forgotten = journal("r-1", 4)
    forgotten = type(forgotten)(
        **{name: getattr(forgotten, name) for name in forgotten.__struct_fields__ if name != "events"},
        events=(RunForgotten(),),
    )
    await sink.take(forgotten, "r-1")
    assert sink.row("r-1") is None
    await sink.take(forgotten, "r-1")
    assert sink.bench.consumer.acked == [0, 1, 2]


async def test_stopping_waits_for_what_is_on_its_way_and_begins_nothing_more(sink: Sink) -> None:
    sink.poster.wait.clear()
    await sink.report("r-1", 1, "under way")
    await sink.report("r-1", 2, "not begun")
    stopping = asyncio.create_task(sink.reporter.stop())
    await settled()
    assert not stopping.done()
    sink.poster.wait.set()
    await stopping
    await settled()
    assert sink.poster.titles() == ["under way"]
    assert sink.bench.consumer.acked == [0]
    assert sink.bench.failure() is None


async def test_stopping_waits_until_what_was_posted_is_recorded_and_settled(sink: Sink) -> None:
    sink.poster.wait.clear()
    await sink.report("r-1", 1, "posted")
    sink.bench.broker.hold = True
    sink.poster.wait.set()
    await settled()
    stopping = asyncio.create_task(sink.reporter.stop())
    await settled()
    assert not stopping.done()
    sink.bench.broker.acknowledge()
    await stopping
    assert sink.row("r-1") == Notified(1, 1)
    assert sink.bench.consumer.acked == [0]


async def test_garbage_in_the_journal_is_a_dead_letter(sink: Sink) -> None:
    [(topic, letter)] = await sink.take(b"garbage", "r-1")
    assert (topic, letter.stage) == ("dead-letters", "notify")


async def test_without_the_lease_nothing_is_posted(sink: Sink) -> None:
    sink.poster.answers = [PostLater(0.05, "503", 503)]
    await sink.report("r-1", 1, "Done")
    sink.bench.app.lease._renewed_s -= 11
    await asyncio.sleep(0.2)
    assert sink.poster.titles() == ["Done"]
    assert sink.publications() == []
