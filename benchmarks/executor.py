"""What carrying out steps that do nothing costs: `python -m benchmarks.executor [STEPS]`.

One executor in this process, a broker and a writer of the journal beside it; each step has the action `log`,
a record of its own, as the engine writes them, and an answer that the broker has acknowledged.
"""

import asyncio
import sys
import tempfile
import time
from pathlib import Path

from aiokafka import AIOKafkaProducer
from prometheus_client import CollectorRegistry

from connectors.actions.log import Log
from connectors.local_kafka import LocalKafka
from connectors.topics_admin import create_topics, planned_topics
from executor.config import ExecutorConfig
from executor.process import Executor
from schemas.codec import encode
from schemas.events import JournalRecord, StepRequested, StepSucceeded
from schemas.topics import RUN_JOURNAL

PREFIX = "bench."
PARTITIONS = 4
STEPS = 20_000
FAR_MS = 4_000_000_000_000


def record(at: int) -> JournalRecord:
    """One step of a run of three, as large as what the engine writes: another succeeded, one is requested.

    The other is none that was requested here, or its outcome would come before its answer and stop it.
    """
    run, step = divmod(at, 3)
    run_id = f"r-{run:024d}"
    requested = StepRequested(
        step=f"step-{step}",
        attempt=1,
        action="log",
        arguments={"message": "checked the pods of checkout", "count": step},
        repeatable=True,
        timeout_ms=60_000,
        start_by_ms=FAR_MS,
        deadline_ms=FAR_MS,
        idempotency_key=f"{run_id}/step-{step}/1",
    )
    before = StepSucceeded(step="before", attempt=1, output={"message": "checked the pods"})
    return JournalRecord(
        run_id=run_id,
        playbook="checkout",
        seq=step + 1,
        cause_topic="run-inbox",
        cause_partition=0,
        cause_offset=at,
        at_ms=1_795_305_600_000,
        events=(before, requested) if step else (requested,),
    )


async def write(servers: str, steps: int) -> None:
    """Write the journal as fast as the broker takes it."""
    producer = AIOKafkaProducer(bootstrap_servers=servers, linger_ms=5, max_batch_size=262_144)
    await producer.start()
    try:
        sent = []
        for at in range(steps):
            journal = record(at)
            key = journal.run_id.encode()
            sent.append(await producer.send(PREFIX + RUN_JOURNAL.name, encode(journal), key=key))
        await asyncio.gather(*sent)
    finally:
        await producer.stop()


async def measure(servers: str, steps: int) -> None:
    """Run an executor until it has answered all steps."""
    kafka = {"bootstrap_servers": servers}
    await create_topics(kafka, planned_topics(PREFIX, PARTITIONS, 1))
    config = ExecutorConfig(kafka=kafka, prefix=PREFIX, instance="bench")
    registry = CollectorRegistry()
    executor = Executor(config, {"log": Log()}, lambda name: None, registry)
    running = asyncio.create_task(executor.run())
    while executor.problems():
        await asyncio.sleep(0.05)
    writer = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.executor", "--write", servers, str(steps)
    )
    while executor.finished == 0:
        await asyncio.sleep(0.001)
    began, cpu_began, before = time.perf_counter(), time.process_time(), executor.finished
    while executor.finished < steps:
        await asyncio.sleep(0.02)
    took_s, cpu_s, counted = time.perf_counter() - began, time.process_time() - cpu_began, steps - before
    print(f"{counted} steps: {counted / took_s:,.0f} steps/s, {cpu_s / counted * 1e6:.0f} µs CPU a step")
    await writer.wait()
    executor.request_stop()
    await running


def main() -> None:
    """Measure, or write (for the process beside)."""
    if sys.argv[1:2] == ["--write"]:
        asyncio.run(write(sys.argv[2], int(sys.argv[3])))
        return
    steps = int(sys.argv[1]) if len(sys.argv) > 1 else STEPS
    with tempfile.TemporaryDirectory() as folder:
        broker = LocalKafka(Path(folder))
        try:
            asyncio.run(measure(broker.start(), steps))
        finally:
            broker.stop()


if __name__ == "__main__":
    main()
