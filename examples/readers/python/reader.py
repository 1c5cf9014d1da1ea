"""Reads Pulsebook's run journal from its beginning, with nothing of Pulsebook's but the published schemas.

Prints one JSON line for each event of each run. Stops at what is the end when it starts; `--follow` goes on.
"""

import argparse
import asyncio
import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fastavro
from aiokafka import AIOKafkaConsumer
from fastavro.schema import fingerprint, to_parsing_canonical_form

SCHEMAS = Path(__file__).parents[3] / "schemas" / "avro"
HEADER_BYTES = 10


class Journal:
    """What the bytes of the topic say: single-object encoding, with today's schema or an earlier one."""

    def __init__(self, folder: Path) -> None:
        old = sorted((folder / "old").glob("JournalRecord.v*.avsc"))
        today, *earlier = (
            json.loads(path.read_text("utf-8")) for path in (folder / "JournalRecord.avsc", *old)
        )
        self.today = today
        self.writers = {header(schema): fastavro.parse_schema(schema) for schema in (today, *earlier)}
        self.reader = fastavro.parse_schema(today)
        self.records: dict[str, Any] = {}
        collect(today, self.records)

    def record(self, value: bytes | None) -> dict[str, Any] | None:
        """The record, its events as (name, fields); None for what is of a later version, or no record."""
        writer = self.writers.get((value or b"")[:HEADER_BYTES])
        if writer is None or value is None:
            return None
        body = io.BytesIO(value[HEADER_BYTES:])
        found: Any = fastavro.schemaless_reader(body, writer, self.reader, return_record_name=True)
        return dict(found)

    def plain(self, schema: Any, value: Any) -> Any:
        """A value as JSON has it."""
        if isinstance(schema, str):
            schema = self.records.get(schema, schema)
        if isinstance(schema, list):  # a union: null, or one thing
            if isinstance(value, tuple):
                return self.plain(*value)
            return None if value is None else self.plain(next(one for one in schema if one != "null"), value)
        if not isinstance(schema, dict):
            return value
        if schema["type"] == "record":
            return {field["name"]: self.field(field, value[field["name"]]) for field in schema["fields"]}
        if schema["type"] == "array":
            return [self.plain(schema["items"], one) for one in value]
        if schema["type"] == "map":
            return {key: self.plain(schema["values"], one) for key, one in value.items()}
        return value

    def field(self, field: dict[str, Any], value: Any) -> Any:
        """The value of a field; some are text that holds JSON."""
        return (
            json.loads(value) if field.get("pulsebook.format") == "json" else self.plain(field["type"], value)
        )


def header(schema: Any) -> bytes:
    """How every message of that schema begins."""
    rabin = fingerprint(to_parsing_canonical_form(schema), "CRC-64-AVRO")
    return b"\xc3\x01" + bytes.fromhex(rabin)


def collect(schema: Any, records: dict[str, Any]) -> None:
    """Every record within a schema by its full name: it is written out only where it first occurs."""
    if isinstance(schema, dict):
        if schema.get("type") == "record":
            records[f"{schema['namespace']}.{schema['name']}"] = schema
        for value in schema.values():
            collect(value, records)
    elif isinstance(schema, list):
        for value in schema:
            collect(value, records)


def lines(journal: Journal, value: bytes | None, latest: dict[str, int]) -> Iterator[str]:
    """One line an event, nothing for a repeat. `latest`: the seq of each run's latest record."""
    record = journal.record(value)
    if record is None:
        print("passed over: no journal record that these schemas know", file=sys.stderr)
        return
    if record["seq"] <= latest.get(record["run_id"], 0):
        return
    latest[record["run_id"]] = record["seq"]
    about = {name: record[name] for name in ("run_id", "seq", "at_ms", "playbook")}
    for name, fields in record["events"]:
        event = {"event": name.rpartition(".")[2], "fields": journal.plain(name, fields)}
        yield json.dumps({**about, **event}, ensure_ascii=False)


async def read(servers: str, topic: str, journal: Journal, follow: bool) -> None:
    """From the oldest record that is kept."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=servers, auto_offset_reset="earliest", enable_auto_commit=False
    )
    await consumer.start()
    try:
        # Before anything asks for it by name, which could make it.
        if topic not in await consumer.topics():
            sys.exit(f"there is no topic {topic}")
        consumer.subscribe([topic])
        while not (places := consumer.assignment()):
            await asyncio.sleep(0.1)
        ends = await consumer.end_offsets(places)
        latest: dict[str, int] = {}
        while follow or any([await consumer.position(place) < ends[place] for place in places]):
            for messages in (await consumer.getmany(timeout_ms=500)).values():
                for message in messages:
                    for line in lines(journal, message.value, latest):
                        print(line, flush=follow)
    finally:
        await consumer.stop()


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("servers", help="host:port of Kafka")
    asked.add_argument("--topic", default="pulsebook.run-journal")
    asked.add_argument("--schemas", type=Path, default=SCHEMAS, help="a copy of schemas/avro")
    asked.add_argument("--follow", action="store_true")
    given = asked.parse_args()
    asyncio.run(read(given.servers, given.topic, Journal(given.schemas), given.follow))


if __name__ == "__main__":
    main()
