"""A processor as a process of its own, for tests that kill it. Run with one JSON argument; prints READY."""

import asyncio
import json
import logging
import signal
import sys
from pathlib import Path
from typing import Any

from connectors.journal_reader import JournalReader
from connectors.partition_reader import PartitionReader
from connectors.schema_registry import SchemaRegistry
from connectors.topic_ids import topic_ids
from schemas.inbox import Limits
from schemas.topics import ADMISSIONS, CHANGELOGS, RUN_JOURNAL, TOPICS
from streams.app import create_processor
from streams.options import WorkerOptions
from streams.running import run
from tests.streams.books import ACTIONS, Followed


async def main(given: dict[str, Any]) -> int:
    """Run a processor until SIGTERM; its exit code."""
    kafka = {"bootstrap_servers": given["servers"]}
    options = WorkerOptions(
        kafka=kafka,
        prefix=given["prefix"],
        partitions=given["partitions"],
        data_dir=Path(given["data_dir"]),
        topic_ids=await topic_ids(kafka, [given["prefix"] + topic.name for topic in (*TOPICS, *CHANGELOGS)]),
        instance_id=given.get("instance"),
        session_timeout_s=6.0,
        heartbeat_s=1.0,
    )
    registry = SchemaRegistry(given["registry"], try_for_s=0.5) if given.get("registry") else None
    worker = create_processor(
        options,
        catalog=Followed(*given.get("books", ())),
        actions=ACTIONS,
        limits=Limits(),
        run_url_prefix="",
        rebuild=JournalReader(kafka, given["prefix"]).records_of,
        journal=PartitionReader(kafka, RUN_JOURNAL, given["prefix"]),
        admissions=PartitionReader(kafka, ADMISSIONS, given["prefix"]),
        schema_of=registry.schema if registry else None,
    )
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)

    async def tell() -> None:
        told: list[str] = []
        ready = False
        while True:
            missing = worker.missing()
            if missing and missing != told:
                print("MISSING", *missing, flush=True)
            if not ready and all("is held" in reason for reason in missing):
                print("READY", flush=True)
                ready = True
            told = missing
            await asyncio.sleep(0.02)

    telling = asyncio.create_task(tell())
    try:
        return await run(worker, stop)
    finally:
        telling.cancel()


if __name__ == "__main__":
    logging.basicConfig(level="WARNING", format="%(levelname)s %(name)s: %(message)s")
    sys.exit(asyncio.run(main(json.loads(sys.argv[1]))))
