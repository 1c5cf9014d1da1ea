"""An agent on the bench: records in, records out, as they would lie on the topics."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from faust.types import Message

from engine.admission import rows as admission_rows
from engine.admission.situation import Situation
from engine.run import advancing as run_rows
from schemas.codec import decode, encode
from schemas.fields import Record
from streams.agents.admit import Admit
from streams.agents.advance import Advance, Rebuild
from streams.agents.match import Match, SchemaOf
from streams.holding import Holding
from tests.streams.bench import PREFIX, Bench, message, settled
from tests.streams.books import ACTIONS, Followed


class AgentBench:
    """One agent with a ledger of its own. Offsets count up by themselves."""

    def __init__(self, bench: Bench, agent: Any, ledger: Any) -> None:
        self.bench = bench
        self.agent = agent
        self.ledger = ledger
        self.offset = -1

    async def take(
        self,
        record: Record | bytes | None,
        key: str | bytes | None = "k",
        *,
        offset: int | None = None,
        headers: Mapping[str, bytes] | None = None,
        partition: int = 0,
    ) -> list[tuple[str, Any]]:
        """Let the agent handle one message; what it sent: topic without prefix, and record."""
        self.offset = self.offset + 1 if offset is None else offset
        before = len(self.bench.broker.records)
        await self.agent.handle(self.message(record, key, headers, partition))
        await settled()
        return self.sent(before)

    def sent(self, before: int = 0) -> list[tuple[str, Any]]:
        """What was sent since there were so many records: topic without prefix, and record."""
        sent = self.bench.broker.records[before:]
        return [
            (one.topic.removeprefix(PREFIX), decode(one.value))
            for one in sent
            if "-changelog" not in one.topic and one.value is not None
        ]

    def message(
        self, record: Record | bytes | None, key: str | bytes | None, headers: Any = None, partition: int = 0
    ) -> Message:
        value = encode(record) if isinstance(record, Record) else record
        raw_key = key.encode() if isinstance(key, str) else key
        return message(self.offset, value, raw_key, headers=headers, partition=partition)

    def written(self) -> list[tuple[bytes | None, bool]]:
        """Keys of the rows that went to the changelog, and whether they were deletions; forgets them."""
        found = [
            (one.key, one.value is None) for one in self.bench.broker.records if "-changelog" in one.topic
        ]
        self.bench.broker.records.clear()
        return found


async def match_bench(bench: Bench, followed: Followed, schema_of: SchemaOf | None = None) -> AgentBench:
    """match."""
    ledger = await bench.ledger("matched", lambda row: b"", lambda data: None, (0, 1))
    holding = partial(Holding, bench.app, bench.metrics)
    agent = Match(ledger, bench.outbox, bench.metrics, followed, schema_of, holding)
    return AgentBench(bench, agent, ledger)


async def admit_bench(bench: Bench, followed: Followed) -> AgentBench:
    """admit."""
    ledger = await bench.ledger("admissions", admission_rows.encode_row, admission_rows.decode_row)
    situation = Situation(actions=ACTIONS, run_url_prefix="https://p/runs/")
    agent = Admit(ledger, bench.outbox, bench.metrics, followed, situation)
    return AgentBench(bench, agent, ledger)


async def advance_bench(bench: Bench, followed: Followed, rebuild: Rebuild | None = None) -> AgentBench:
    """advance."""

    async def nothing(run_id: str) -> list[Any]:
        raise AssertionError(f"the journal of {run_id} was asked for")

    ledger = await bench.ledger("runs", run_rows.encode_row, run_rows.decode_row)
    agent = Advance(ledger, bench.outbox, bench.metrics, followed, rebuild or nothing)
    return AgentBench(bench, agent, ledger)
