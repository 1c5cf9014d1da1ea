"""How long it takes to make tables again: `python -m benchmarks.rebuild --live 100000 --past 200000`.

One partition, so that all of it is one turn. A broker of its own and a processor as a real process; no
executor, so every live run waits for its first step. `--past`: runs of long ago, forgotten, that the journal
still holds. Told for each table: rows, time, memory; and how long the processor's loop was away at most (it
is asked for /healthz all the time).
"""

import argparse
import asyncio
import time
import urllib.request
from contextlib import aclosing

from msgspec.structs import replace

from benchmarks.engine import AT_MS, PLAIN, inputs_of
from benchmarks.path import BITE, Counted, prepare
from benchmarks.processes import Bench, running_broker
from benchmarks.recovery import PLAYBOOK, begin, playbooks
from connectors.event_log import EventLogReader
from connectors.event_log_writer import EventLogWriter
from connectors.topics_admin import create_topics, planned_topics
from engine.rebuilds import switch_of
from engine.run.advancing import advance
from schemas.alerts import Alert
from schemas.catalog import RebuildReported, SwitchSet
from schemas.events import JournalRecord
from schemas.inbox import TimerFired
from schemas.outgoing import Cause, Outgoing
from schemas.topics import CATALOG, RUN_INBOX, RUN_JOURNAL

PARTITIONS = 1
TABLES = ("admissions", "runs")
ASK_EVERY_S = 0.005
WITHIN_S = 900


def a_run() -> list[JournalRecord]:
    """The journal of one run, from its request until it is forgotten."""
    book, inputs = inputs_of(PLAIN, Alert(id="a-1", title="latency is high", body="x" * 500))
    row, told = None, list[JournalRecord]()
    for offset, record in enumerate(inputs):
        done = advance(row, record, Cause(RUN_INBOX.name, 0, offset, AT_MS + offset), book)
        row = done.row
        told += [] if done.journal is None else [done.journal]
    assert row is not None and row.status == "succeeded"
    timer = TimerFired(row=row.run_id, timer="forget", due_ms=row.timers["forget"])
    forgotten = advance(row, timer, Cause(RUN_INBOX.name, 0, len(inputs), row.timers["forget"] + 1), book)
    assert forgotten.journal is not None
    return [*told, forgotten.journal]


async def past(writer: EventLogWriter, runs: int) -> int:
    """Runs of long ago in the journal; how many records."""
    told = a_run()
    for first in range(0, runs, BITE):
        numbers = range(first, min(first + BITE, runs))
        records = [replace(one, run_id=f"r-past-{number:024}") for number in numbers for one in told]
        for start in range(0, len(records), BITE):
            bite = records[start : start + BITE]
            await asyncio.gather(*(writer.start(Outgoing(RUN_JOURNAL, one.run_id, one)) for one in bite))
    return runs * len(told)


async def longest_away_s(port: int) -> float:
    """Ask the processor whether it is alive, on and on until cancelled; the longest answer."""
    longest_s = 0.0
    try:
        while True:
            began_s = time.monotonic()
            await asyncio.to_thread(alive, port)
            longest_s = max(longest_s, time.monotonic() - began_s)
            await asyncio.sleep(ASK_EVERY_S)
    except asyncio.CancelledError:
        return longest_s


def alive(port: int) -> None:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=30) as answer:
        answer.read()


async def rebuild(bench: Bench, writer: EventLogWriter) -> None:
    """Ask for it, and tell what is reported."""
    before_mib = bench.usage()["processor"][1]
    change = SwitchSet(name=switch_of("tables"), value=True, actor="bench", at_ms=0)
    asked = await writer.send(Outgoing(CATALOG, f"switch/{change.name}", change))
    asking = asyncio.create_task(longest_away_s(bench.ports["processor"]))
    open_tables = set(TABLES)
    catalog = EventLogReader({"bootstrap_servers": bench.kafka}, (CATALOG,))
    async with aclosing(catalog.follow({(CATALOG.name, 0): asked.offset})) as batches:
        async for batch in batches:
            for one in batch:
                report = one.record
                if isinstance(report, RebuildReported) and report.state == "done":
                    open_tables.discard(report.table)
                    tell(report)
            if not open_tables:
                break
    asking.cancel()
    print(
        f"  the loop was away for {await asking:.2f} s at most; memory {before_mib:.0f} MiB before, "
        f"{bench.usage()['processor'][1]:.0f} MiB after"
    )


def tell(report: RebuildReported) -> None:
    """A line about one table."""
    took_s = report.took_ms / 1000
    print(
        f"  {report.table}: {report.rows:,} rows in {took_s:.1f} s, {report.equal:,} equal, "
        f"{report.differing:,} differed; {report.rows / max(took_s, 0.001):,.0f} rows a second"
    )


async def measured(live: int, forgotten: int) -> None:
    """Fill tables and journal, then make them again."""
    with running_broker(PARTITIONS) as bench:
        await create_topics({"bootstrap_servers": bench.kafka}, planned_topics("pulsebook.", PARTITIONS, 1))
        writer = await prepare(bench, {name: PLAYBOOK.format(name=name) for name in playbooks(live)})
        bench.start("processor")
        await bench.ready()
        began_s = time.monotonic()
        await begin(bench, writer, Counted(), live)
        print(f"{live:,} live runs in one partition, made in {time.monotonic() - began_s:.0f} s")
        await asyncio.sleep(3)
        await asyncio.wait_for(rebuild(bench, writer), WITHIN_S)
        records = await past(writer, forgotten)
        print(f"the same, and {records:,} records of {forgotten:,} forgotten runs in the journal")
        await asyncio.wait_for(rebuild(bench, writer), WITHIN_S)
        await writer.close()


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--live", type=int, default=100_000)
    parser.add_argument("--past", type=int, default=200_000)
    given = parser.parse_args()
    asyncio.run(measured(given.live, given.past))


if __name__ == "__main__":
    main()
