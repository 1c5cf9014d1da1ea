"""How fast `audit verify` is: `python -m benchmarks.audit --days 20` prints a table.

A history made by the engine (queues, cooldowns, retries, questions, children, loops, cancels, reports),
checked once from memory and once from a broker of its own, by one process; then from the broker by as many as
there are cores. All records count that are read; about half of them are folded once more.
"""

import argparse
import asyncio
import dataclasses
import gc
import os
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from aiokafka import AIOKafkaProducer

from audit.log import Log
from audit.verify.findings import Tally
from audit.verify.frame import Frame, Positions
from audit.verify.verifying import frame_of, verify
from audit.verify.work import Alone, Part
from benchmarks.processes import running_broker
from cli.audit_crew import GC_THRESHOLD, Crew, audit_log
from connectors.topics_admin import create_topics, planned_topics
from settings import Settings
from tests.audit.histories import long
from tests.audit.making import Making
from tests.audit.memory import MemoryLog

PARTITIONS = 2
IN_FLIGHT = 2_000
TIMES = {"message.timestamp.type": "CreateTime", "message.timestamp.after.max.ms": str(2**62)}
"""The history keeps its own times."""


@dataclasses.dataclass(slots=True)
class Timed:
    """A crew of one that tells what each step took of the CPU."""

    alone: Alone
    steps: dict[str, tuple[int, float]] = dataclasses.field(default_factory=dict)

    async def work(self, parts: Sequence[Part], frame: Frame) -> AsyncIterator[Tally]:
        began_s, records = time.process_time(), 0
        async for tally in self.alone.work(parts, frame):
            records += sum(tally.read.values())
            yield tally
        name = f"{parts[-1].step} {', '.join(sorted({part.topic for part in parts if part.topic}))}"
        self.steps[name] = records, time.process_time() - began_s


async def positioned(log: Log, now_ms: int) -> Frame:
    """All of it is settled."""
    ends = {place: end for place, (_, end) in (await log.bounds()).items()}

    async def ask() -> Positions:
        return Positions(ends, ends, members=1)

    return await frame_of(log, ask, now_ms)


async def alone(name: str, log: Log, now_ms: int, records: int) -> None:
    """One process; CPU time of this process alone counts."""
    frame = await positioned(log, now_ms)
    with tempfile.TemporaryDirectory() as folder:
        crew = Timed(Alone(log, Path(folder), lambda count: None))
        cpu_s, wall_s = time.process_time(), time.perf_counter()
        tally, _ = await verify(frame, crew)
        cpu_s, wall_s = time.process_time() - cpu_s, time.perf_counter() - wall_s
        spool = sum(path.stat().st_size for path in Path(folder).iterdir())
    assert not tally.wrong, tally.differences[:3]
    print(f"{name:<28}{records / cpu_s:>14,.0f}{records / wall_s:>14,.0f}{cpu_s:>9.2f}")
    for step, (count, took_s) in crew.steps.items():
        print(f"    {step[:23]:<24}{count / took_s:>14,.0f}{'':>14}{took_s:>9.2f}")
    print(f"    {spool / records:.0f} bytes on disk a record")


async def together(settings: Settings, now_ms: int, records: int) -> None:
    """As the command does it."""
    frame = await positioned(audit_log(settings), now_ms)
    processes = os.cpu_count() or 1
    with tempfile.TemporaryDirectory() as folder:
        began_s = time.perf_counter()
        crew = Crew(settings, Path(folder), processes, lambda count: None)
        try:
            tally, _ = await verify(frame, crew)
        finally:
            crew.close()
        wall_s = time.perf_counter() - began_s
    assert not tally.wrong, tally.differences[:3]
    print(f"{f'{processes} processes, Kafka':<28}{'':>14}{records / wall_s:>14,.0f}")


async def fill(made: Making, settings: Settings) -> None:
    """Write the history to a broker as it is, with its times."""
    planned = [
        dataclasses.replace(topic, config={**topic.config, **TIMES})
        for topic in planned_topics(settings.topic_prefix, PARTITIONS, 1, None, None)
    ]
    await create_topics(settings.kafka_options(), planned)
    producer = AIOKafkaProducer(**settings.kafka_options(), compression_type="lz4", linger_ms=5)
    await producer.start()
    waiting = []
    for name, entries in made.topics.items():
        for entry in entries:
            waiting.append(
                await producer.send(
                    settings.topic_prefix + name,
                    entry.value,
                    entry.key,
                    entry.partition,
                    entry.at_ms,
                    list(entry.headers),
                )
            )
            if len(waiting) >= IN_FLIGHT:
                await asyncio.gather(*waiting)
                waiting = []
    await asyncio.gather(*waiting)
    await producer.stop()


async def reading(log: Log, records: int) -> None:
    """What reading alone costs."""
    ends = {place: end for place, (_, end) in (await log.bounds()).items()}
    began_s = time.process_time()
    for place, end in ends.items():
        async for _ in log.read({}, {place: end}):
            pass
    cpu_s = time.process_time() - began_s
    print(f"{'reading Kafka, nothing else':<28}{records / cpu_s:>14,.0f}{'':>14}{cpu_s:>9.2f}")


async def run(days: int, an_hour: int) -> None:
    """Make, fill, measure."""
    gc.set_threshold(*GC_THRESHOLD)  # as the workers of the command do
    made = long(days, an_hour, 5)
    records = sum(len(entries) for entries in made.topics.values())
    counts = ", ".join(f"{name} {len(entries):,}" for name, entries in made.topics.items())
    print(f"{records:,} records: {counts}\n")
    print(f"{'':<28}{'records/s CPU':>14}{'records/s':>14}{'CPU s':>9}")
    await alone("one process, memory", MemoryLog(made.topics, PARTITIONS), made.now_ms, records)
    with running_broker(PARTITIONS) as bench:
        settings = dataclasses.replace(Settings(), kafka=bench.kafka, partitions=PARTITIONS)
        await fill(made, settings)
        await reading(audit_log(settings), records)
        await alone("one process, Kafka", audit_log(settings), made.now_ms, records)
        await together(settings, made.now_ms, records)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--days", type=int, default=20)
    options.add_argument("--an-hour", type=int, default=6)
    given = options.parse_args()
    asyncio.run(run(given.days, given.an_hour))


if __name__ == "__main__":
    main()
