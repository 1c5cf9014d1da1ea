"""Rows of admission that were lost or are old become again what their inputs make of them."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any

import pytest
from msgspec.structs import replace

from engine.admission.rows import PlaybookRow, decode_row
from engine.admission.situation import Situation
from schemas.admissions import Candidate, RunEnded
from schemas.errors import MalformedMessage
from schemas.fields import Record
from schemas.ids import run_id
from schemas.outgoing import Cause
from streams.refolding import Admitting, Refolding
from streams.rows import packed
from tests.streams.agents.bench import AgentBench, admit_bench
from tests.streams.bench import Bench
from tests.streams.books import ACTIONS, THREE_STEPS, Followed, an_alert

DEMO, OTHER = "demo", "demo-2"
AT_MS = 1_795_000_000_000


@dataclass
class Taken:
    """An input as it lies on the topic."""

    key: bytes
    cause: Cause
    record: Record | MalformedMessage
    value: bytes | None = None
    headers: tuple[tuple[str, bytes], ...] = ()


class Worker:
    """admit on a bench, a topic of what it took, and its rows as bytes."""

    def __init__(self, one: AgentBench, followed: Followed) -> None:
        self.one = one
        self.followed = followed
        self.topic: list[Taken] = []
        situation = Situation(actions=ACTIONS, run_url_prefix="https://p/runs/")
        admitting = Admitting(followed, situation, one.bench.outbox)
        self.refolding = Refolding(one.bench.table(), admitting, self._inputs)

    async def take(self, record: Record, key: str = DEMO) -> None:
        await self.one.take(record, key)
        self.topic.append(Taken(key.encode(), Cause("admissions", 0, self.one.offset, AT_MS), record))

    async def start(self, number: int, playbook: str = DEMO) -> None:
        made = Candidate(
            request_id=f"a-{number}",
            playbook=playbook,
            revision=self.followed.catalog.playbooks[playbook].digest,
            catalog_offset=self.followed.catalog.offset,
            run_id=run_id(playbook, f"a-{number}"),
            alert=an_alert(number),
        )
        await self.take(made, playbook)

    async def end(self, number: int) -> None:
        run = run_id(DEMO, f"a-{number}")
        await self.take(RunEnded(run_id=run, playbook=DEMO, key=f"12/host:h{number}", status="succeeded"))

    def rows(self) -> dict[str, bytes]:
        return {key.decode(): row for key, row in self.one.bench.table().store.rows_after(0, None, 999)}

    def store(self, key: str, row: bytes | None) -> None:
        self.one.bench.table().store.write(0, {key.encode(): row}, None)

    async def mend(self, *suspects: str) -> dict[str, Any]:
        """Rebuild and write, as a stage does after a recovery; what was written."""
        changed = dict(await self.refolding.rebuilt(0, suspects))
        for key, (row, applied) in changed.items():
            await self.one.ledger.mend(0, key, row, applied)
        return changed

    async def _inputs(self, partition: int, until: int) -> AsyncGenerator[list[Taken], None]:
        yield [one for one in self.topic if one.cause.offset < until]


@pytest.fixture
async def worker(bench: Bench) -> Worker:
    followed = Followed(THREE_STEPS, THREE_STEPS.replace("playbook: demo", f"playbook: {OTHER}"))
    return Worker(await admit_bench(bench, followed), followed)


async def test_a_stale_row_becomes_what_it_was_and_what_is_right_is_not_written(worker: Worker) -> None:
    await worker.start(1)
    stale = worker.rows()[DEMO]
    await worker.start(2)
    right = worker.rows()
    worker.store(DEMO, stale)

    assert list(await worker.mend(DEMO)) == [DEMO]

    assert worker.rows() == right
    row = decode_row(right[DEMO][8:])
    assert isinstance(row, PlaybookRow) and row.running == 2
    assert await worker.mend(DEMO) == {}


async def test_rows_that_are_missing_come_back_and_rows_that_should_be_gone_go(worker: Worker) -> None:
    await worker.start(1)
    key_row = f"{DEMO}|12/host:h1"
    old = worker.rows()[key_row]
    await worker.end(1)
    right = worker.rows()
    assert key_row not in right
    worker.store(key_row, old)
    worker.store(f"{DEMO}@{run_id(DEMO, 'a-1')}", None)

    await worker.mend(key_row)

    assert worker.rows() == right


async def test_rows_of_other_playbooks_stay_as_they_are(worker: Worker) -> None:
    await worker.start(1)
    await worker.start(2, OTHER)
    worker.store(OTHER, packed(0, b"whatever is there"))
    worker.store(DEMO, None)

    assert list(await worker.mend(DEMO)) == [DEMO]

    assert worker.rows()[OTHER][8:] == b"whatever is there"


async def test_inputs_that_are_not_settled_are_left_for_the_agent(worker: Worker) -> None:
    """They are read again, and their records were perhaps not sent."""
    await worker.start(1)
    right = worker.rows()
    made = worker.topic[0].record
    assert isinstance(made, Candidate)
    late = replace(made, request_id="a-9", run_id=run_id(DEMO, "a-9"), alert=an_alert(9))
    worker.topic.append(Taken(b"demo", Cause("admissions", 0, 1, AT_MS), late))
    worker.store(f"{DEMO}|12/host:h1", None)

    await worker.mend(DEMO)

    assert worker.rows() == right


async def test_what_became_a_dead_letter_changes_nothing_the_second_time_either(worker: Worker) -> None:
    await worker.start(1)
    wrong = Taken(b"another key", Cause("admissions", 0, 1, AT_MS), worker.topic[0].record)
    garbage = Taken(b"demo", Cause("admissions", 0, 2, AT_MS), MalformedMessage("garbage"))
    worker.topic += [wrong, garbage]
    worker.one.offset = 2
    await worker.start(2)
    right = worker.rows()
    worker.store(DEMO, None)

    await worker.mend(DEMO)

    assert worker.rows() == right
