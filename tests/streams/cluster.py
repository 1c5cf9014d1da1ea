"""What the tests with a real broker share: topics, processors as processes, and the world around a
processor.
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import Any, Self

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from connectors.topics_admin import create_topics, planned_topics
from schemas.codec import decode, encode
from schemas.events import JournalRecord, RunFinished, StepRequested
from schemas.fields import Record
from schemas.inbox import StepFinished
from tests.streams.books import received

PARTITIONS = 2
ROOT = Path(__file__).parents[2]


class Process:
    """A processor that can be killed, stopped and woken."""

    def __init__(
        self,
        servers: str,
        prefix: str,
        data_dir: Path,
        instance: str | None = None,
        books: tuple[str, ...] = (),
        registry: str = "",
    ) -> None:
        given: dict[str, Any] = {"servers": servers, "prefix": prefix, "partitions": PARTITIONS}
        given["books"] = list(books)
        given |= {"data_dir": str(data_dir), "instance": instance, "registry": registry}
        self.log = data_dir.with_suffix(f".{time.monotonic_ns()}.log")
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.streams.worker_process", json.dumps(given)],
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=ROOT,
            )

    async def ready(self, within_s: float = 40.0) -> Self:
        """Wait until it does its job."""
        deadline_s = time.monotonic() + within_s
        while "READY" not in self.log.read_text():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline_s, f"not ready:\n{self.log.read_text()}"
            await asyncio.sleep(0.05)
        return self

    async def ended(self, within_s: float = 30.0) -> int:
        """Wait for its end; its exit code."""
        deadline_s = time.monotonic() + within_s
        while (code := self.process.poll()) is None:
            assert time.monotonic() < deadline_s, f"it goes on:\n{self.log.read_text()}"
            await asyncio.sleep(0.05)
        return code

    def signal(self, number: signal.Signals) -> None:
        os.kill(self.process.pid, number)

    async def kill(self) -> None:
        """kill -9."""
        self.signal(signal.SIGKILL)
        await self.ended()

    async def stop(self) -> int:
        """SIGTERM; its exit code."""
        self.signal(signal.SIGTERM)
        return await self.ended()

    def close(self) -> None:
        """Leave nothing behind."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


class World:
    """Web, executor and reader of the journal in one: sends alerts, answers steps, remembers what it saw."""

    def __init__(self, servers: str, prefix: str) -> None:
        self.kafka = {"bootstrap_servers": servers}
        self.prefix = prefix
        self.journal: dict[str, dict[int, bytes]] = defaultdict(dict)
        self.contradictions: list[str] = []
        self.repeats = 0
        self.ended: set[str] = set()
        self.answering = True
        self.failing_first = False
        """Whether the first attempt of each step finds nobody at the other end."""
        self._executor: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await create_topics(self.kafka, planned_topics(self.prefix, PARTITIONS, 1))
        self.producer = AIOKafkaProducer(**self.kafka, acks="all", enable_idempotence=True)
        self.consumer = AIOKafkaConsumer(
            f"{self.prefix}run-journal", **self.kafka, auto_offset_reset="earliest", fetch_max_wait_ms=50
        )
        await self.producer.start()
        await self.consumer.start()
        self._executor = asyncio.create_task(self._execute())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._executor is not None:
            self._executor.cancel()
            await asyncio.wait([self._executor])
        await self.consumer.stop()
        await self.producer.stop()

    async def send(self, topic: str, key: str, record: Record) -> None:
        await self.producer.send_and_wait(f"{self.prefix}{topic}", encode(record), key=key.encode())

    async def alert(self, first: int, last: int) -> None:
        """Send the alerts of these numbers, the last one excluded."""
        sends = [
            await self.producer.send(f"{self.prefix}alerts", encode(received(number)), key=b"%d" % number)
            for number in range(first, last)
        ]
        await asyncio.gather(*sends)

    async def until(self, runs: int, within_s: float = 60.0) -> None:
        """Wait until so many runs have ended."""
        deadline_s = time.monotonic() + within_s
        while len(self.ended) < runs:
            assert time.monotonic() < deadline_s, f"{len(self.ended)} of {runs} runs have ended"
            assert self._executor is not None and not self._executor.done(), self._executor
            await asyncio.sleep(0.02)

    async def _execute(self) -> None:
        while True:
            batches = await self.consumer.getmany(timeout_ms=200)
            for message in [message for batch in batches.values() for message in batch]:
                record = decode(message.value)
                assert isinstance(record, JournalRecord)
                self._remember(record, message.value)
                for event in record.events:
                    if isinstance(event, StepRequested) and self.answering:
                        await self._answer(record, event)
                    elif isinstance(event, RunFinished):
                        self.ended.add(record.run_id)

    async def _answer(self, record: JournalRecord, event: StepRequested) -> None:
        failed = self.failing_first and event.attempt == 1
        answer = StepFinished(
            run_id=record.run_id,
            step=event.step,
            attempt=event.attempt,
            answers_seq=record.seq,
            status="failed" if failed else "succeeded",
            kind="unreachable" if failed else None,
            output=None if failed else {"ok": True},
        )
        await self.producer.send(f"{self.prefix}run-inbox", encode(answer), key=record.run_id.encode())

    def _remember(self, record: JournalRecord, value: bytes) -> None:
        known = self.journal[record.run_id].get(record.seq)
        self.repeats += known is not None
        if known is not None and known != value:
            self.contradictions.append(f"{record.run_id} {record.seq}")
        self.journal[record.run_id][record.seq] = value

    def gaps(self) -> list[str]:
        """Runs whose journal does not count 1, 2, 3, ..."""
        return [run_id for run_id, log in self.journal.items() if sorted(log) != list(range(1, len(log) + 1))]

    async def records(self, topic: str) -> list[Any]:
        """Everything on a topic, as of now."""
        consumer = AIOKafkaConsumer(f"{self.prefix}{topic}", **self.kafka, auto_offset_reset="earliest")
        await consumer.start()
        found: list[Any] = []
        ends = await consumer.end_offsets(consumer.assignment())
        while any([await consumer.position(tp) < end for tp, end in ends.items()]):
            batches = await consumer.getmany(timeout_ms=200)
            found += [message for batch in batches.values() for message in batch]
        await consumer.stop()
        return found
