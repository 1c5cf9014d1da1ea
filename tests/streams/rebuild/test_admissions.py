"""Rows of admission come out of their topic as the table has them; where the topic has lost its beginning,
playbooks that are older keep theirs.
"""

from pathlib import Path

import pytest

from engine.admission.rows import PlaybookRow, Row, decode_row, encode_row
from engine.admission.situation import Situation
from schemas.admissions import Candidate, RunEnded
from schemas.fields import Record
from schemas.ids import run_id
from streams.rebuild.admissions import CLOCKS_DIFFER_MS, AdmissionsAgain
from streams.rebuild.fresh import FreshRows
from streams.refolding import Admitting
from streams.rows import packed, payload_of
from tests.streams.agents.bench import AgentBench, admit_bench
from tests.streams.bench import Bench, settled
from tests.streams.books import ACTIONS, THREE_STEPS, Followed, an_alert
from tests.streams.logs import MemoryLog

DEMO, OTHER = "demo", "demo-2"
AT_MS = 1_795_000_000_000


class Admissions:
    """admit on a bench, and the topic of what it took."""

    def __init__(self, one: AgentBench, followed: Followed, folder: Path) -> None:
        self.one = one
        self.followed = followed
        self.log = MemoryLog("admissions")
        self.fresh: FreshRows[Row] = FreshRows(folder / "fresh", encode_row, decode_row)
        situation = Situation(actions=ACTIONS, run_url_prefix="https://p/runs/")
        admitting = Admitting(followed, situation, one.bench.outbox)
        self.again = AdmissionsAgain(self.log, admitting, followed)

    async def take(self, record: Record, key: str = DEMO) -> None:
        offset = self.log.add(key, record)
        self.one.offset = offset
        message = self.one.message(record, key)
        message.timestamp = self.log.records[offset].cause.at_ms / 1000
        await self.one.agent.handle(message)
        await settled()

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

    def there(self, key: bytes) -> bytes | None:
        return self.one.bench.table().row(0, key)

    def table(self) -> dict[bytes, bytes]:
        return dict(self.one.bench.table().store.rows_after(0, None, 9_999))

    async def made(self, until: int | None = None) -> dict[bytes, bytes]:
        await self.again.run(0, len(self.log.records) if until is None else until, self.there, self.fresh)
        self.fresh.flush()
        return dict(self.fresh.after(None, 9_999))


@pytest.fixture
async def admissions(bench: Bench, tmp_path: Path) -> Admissions:
    followed = Followed(THREE_STEPS, THREE_STEPS.replace("playbook: demo", f"playbook: {OTHER}"))
    return Admissions(await admit_bench(bench, followed), followed, tmp_path)


async def test_rows_come_out_as_the_table_has_them_to_the_byte(admissions: Admissions) -> None:
    for number in range(70):
        await admissions.start(number, OTHER if number % 5 == 0 else DEMO)
        if number % 3 == 1:
            await admissions.end(number)
    admissions.log.add(DEMO, b"garbage")
    admissions.log.add("another-key", admissions.log.records[0].value or b"")

    made = await admissions.made()

    assert made == admissions.table()
    assert len(made) > 100


async def test_inputs_that_are_not_settled_are_left_for_the_agent(admissions: Admissions) -> None:
    await admissions.start(1)
    before = admissions.table()
    await admissions.start(2)

    assert await admissions.made(until=1) == before


def book(admissions: Admissions, chunk: int) -> bytes:
    row = decode_row(payload_of(admissions.table()[DEMO.encode()]))
    assert isinstance(row, PlaybookRow)
    return packed(0, encode_row(PlaybookRow(running=row.running, chunk=chunk)))


async def test_with_the_whole_topic_nothing_is_kept(admissions: Admissions) -> None:
    await admissions.start(1)
    await admissions.made()

    assert admissions.again.since_ms == 0
    assert not admissions.again.keeps(DEMO, book(admissions, 9), None)


async def test_a_playbook_that_is_older_than_the_topic_keeps_all_its_rows(admissions: Admissions) -> None:
    for number in range(3):
        await admissions.start(number)
    admissions.log.cut = 1
    await admissions.made()

    assert admissions.again.since_ms == admissions.log.records[1].cause.at_ms
    assert admissions.again.keeps(f"{DEMO}|12/host:h0", b"a row", None)
    assert admissions.again.keeps(DEMO, b"a row", b"another")
    assert admissions.again.keeps(f"{DEMO}|12/host:h9", None, b"a row")


async def test_a_playbook_that_came_later_than_what_is_gone_is_made_again(admissions: Admissions) -> None:
    admissions.log.at_ms = -CLOCKS_DIFFER_MS - 10_000  # revisions of these tests are of the year 1970
    for number in range(3):
        await admissions.start(number)
    admissions.log.cut = 1
    await admissions.made()

    assert not admissions.again.keeps(DEMO, b"a row", b"another")


async def test_rows_that_were_lost_or_begun_anew_are_made_of_what_there_is(admissions: Admissions) -> None:
    """They have filled fewer chunks than the topic still tells of, or are not there at all."""
    for number in range(70):
        await admissions.start(number)
    admissions.log.cut = 1
    table = admissions.one.bench.table().store
    right = admissions.table()[DEMO.encode()]
    for row, keeps in ((None, False), (book(admissions, 0), False), (right, True)):
        table.write(0, {DEMO.encode(): row}, None)
        admissions.again._keeps.clear()
        await admissions.made()
        assert admissions.again.keeps(f"{DEMO}|12/host:h0", b"a row", b"another") is keeps
