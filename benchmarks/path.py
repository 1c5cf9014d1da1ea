"""The whole path: runs of three no-op steps per second, and the latency from an alert to its first step.

    python -m benchmarks.path throughput --alerts 20000
    python -m benchmarks.path latency --rate 100 --seconds 30

A broker of its own, processor, executor and sink as real processes; alerts are written to Kafka as the web
process writes them. `throughput` keeps a backlog and measures to the last RunFinished, by the broker's
timestamps; `latency` produces at a steady rate and measures with one machine's clock.
"""

import argparse
import asyncio
import time
from collections.abc import Mapping, Sequence

from benchmarks.processes import Bench, free_port, running_broker
from connectors.actions.registry import specs
from connectors.event_log import EventLogReader
from connectors.event_log_writer import EventLogWriter
from connectors.topics_admin import create_topics, planned_topics
from engine.playbook.canonical import canonical_json, digest
from engine.playbook.reading import read
from schemas.alerts import Alert, AlertReceived
from schemas.catalog import PlaybookSet, RevisionAdded
from schemas.events import JournalRecord, RunFinished, RunStarted, StepSucceeded
from schemas.outgoing import Outgoing
from schemas.topics import ALERTS, CATALOG, RUN_JOURNAL

PARTITIONS = 4
BACKLOG = 3_000
"""Alerts under way at once in `throughput`."""
BITE = 250
WARM, WARM_FROM = 500, 10_000_000
"""Runs before the clock starts, and their numbers."""
RECORDS_A_RUN = 4
"""Journal records of a run of three steps: its start, and the end of each step."""
PLAYBOOK = """\
playbook: bench
on:
  alert: {endpoint: bench}
admission: {max_running: 10000}
steps:
  - {id: one, action: log, with: {message: "first ${{ alert.title }}"}}
  - {id: two, action: log, with: {message: second}}
  - {id: three, action: log, with: {message: "after ${{ steps.two.output.message }}"}}
report: [failed]
"""


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` of them lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


async def prepare(bench: Bench, playbooks: Mapping[str, str]) -> EventLogWriter:
    """Topics, the playbooks (name to source) in the catalog, and a writer."""
    kafka = {"bootstrap_servers": bench.kafka}
    await create_topics(kafka, planned_topics("pulsebook.", PARTITIONS, 1))
    writer = EventLogWriter(kafka, linger_ms=5)
    for name, source in playbooks.items():
        playbook = read(source, f"{name}.yaml", specs()).playbook
        if playbook is None:
            raise SystemExit("the benchmark's playbook is not accepted")
        added = RevisionAdded(
            actor="bench",
            at_ms=0,
            digest=digest(playbook),
            playbook=name,
            canonical=canonical_json(playbook),
            source=source,
        )
        active = PlaybookSet(actor="bench", at_ms=0, name=name, digest=added.digest)
        await writer.send(Outgoing(CATALOG, f"revision/{added.digest}", added))
        await writer.send(Outgoing(CATALOG, f"playbook/{name}", active))
    return writer


def alert(number: int, endpoint: str = "bench") -> Outgoing:
    """One alert, the size of a real one."""
    now_ms = time.time_ns() // 1_000_000
    made = Alert(
        id=f"a-{number:08d}",
        endpoint=endpoint,
        title=f"[Triggered] checkout latency {number}",
        body="p95 latency of checkout was above 2.0 s for 5 minutes",
        kind="query_alert_monitor",
        transition="Triggered",
        monitor_id="12345",
        scope=f"service:checkout,host:web-{number}",
        tag_list=("env:prod", "service:checkout", "team:payments"),
        at_ms=now_ms,
        metadata={"ALERT_TRANSITION": "Triggered", "ALERT_ID": "12345"},
    )
    received = AlertReceived(
        alert_id=made.id, endpoint=endpoint, received_at_ms=now_ms, raw=b"{}" * 300, alert=made
    )
    return Outgoing(ALERTS, made.id, received)


class Seen:
    """What the journal told so far, with the broker's clock and the executor's."""

    def __init__(self) -> None:
        self.started_ms: dict[str, int] = {}
        self.first_step_ms: dict[str, int] = {}
        self.alert_of: dict[str, str] = {}
        self.finished_ms: dict[str, int] = {}

    async def follow(self, kafka: str, runs: int) -> None:
        """Read the journal until so many runs have ended."""
        reader = EventLogReader({"bootstrap_servers": kafka}, (RUN_JOURNAL,))
        async for batch in reader.follow():
            for entry in batch:
                record = entry.record
                if isinstance(record, JournalRecord):
                    self._note(record, entry.at_ms)
            if len(self.finished_ms) >= runs:
                return

    def _note(self, record: JournalRecord, at_ms: int) -> None:
        for event in record.events:
            if isinstance(event, RunStarted):
                self.started_ms[record.run_id] = at_ms
                self.alert_of[record.run_id] = event.request_id
            elif isinstance(event, StepSucceeded) and event.step == "one":
                self.first_step_ms[record.run_id] = event.started_at_ms
            elif isinstance(event, RunFinished):
                self.finished_ms[record.run_id] = at_ms


async def throughput(alerts: int, with_web: bool = False) -> None:
    """Alerts as fast as they are worked off, with a backlog of at most `BACKLOG`; memory at every tenth."""
    with running_broker(PARTITIONS) as bench:
        writer = await prepare(bench, {"bench": PLAYBOOK})
        if with_web:
            port = bench.ports["web"] = free_port()
            bench.start("web", PULSEBOOK_WEB_PORT=str(port))
        for name in ("executor", "sink", "processor"):
            bench.start(name)
        await bench.ready()
        idle = bench.usage()
        await flood(writer, range(WARM_FROM, WARM_FROM + WARM))
        counted = Counted()
        following = asyncio.create_task(counted.follow(bench.kafka, RECORDS_A_RUN * (alerts + WARM)))
        while counted.records < RECORDS_A_RUN * WARM:
            await asyncio.sleep(0.1)
        before, began_ms = bench.usage(), counted.latest_ms
        memory = [idle, before]
        for start in range(0, alerts, BITE):
            while start * RECORDS_A_RUN - counted.records > BACKLOG * RECORDS_A_RUN:
                await asyncio.sleep(0.02)
            await flood(writer, range(start, min(start + BITE, alerts)))
            if len(memory) - 1 < 10 * (start + BITE) // alerts:
                memory.append(bench.usage())
        await asyncio.wait_for(following, 900)
        after, took_s = bench.usage(), (counted.latest_ms - began_ms) / 1000
        seen = Seen()
        await seen.follow(bench.kafka, alerts + WARM)
        print(f"{alerts} runs of 3 steps in {took_s:.1f} s: {alerts / took_s:.0f} runs/s")
        for name, (cpu_s, rss_mib) in after.items():
            spent_ms = (cpu_s - before[name][0]) * 1000 / alerts
            series = " ".join(f"{one[name][1]:.0f}" for one in memory)
            print(
                f"  {name:<10} {spent_ms:.2f} ms CPU a run; MiB idle, warm, by tenths: {series} {rss_mib:.0f}"
            )
        await writer.close()


class Counted:
    """How many journal records there are; not decoded, so that counting costs the machine little."""

    def __init__(self) -> None:
        self.records = 0
        self.latest_ms = 0

    async def follow(self, kafka: str, records: int) -> None:
        """Read the journal until there are so many records."""
        reader = EventLogReader({"bootstrap_servers": kafka}, (RUN_JOURNAL,))
        async for batch in reader.follow():
            self.records += len(batch)
            self.latest_ms = max(self.latest_ms, *(entry.at_ms for entry in batch))
            if self.records >= records:
                return


async def flood(writer: EventLogWriter, numbers: range) -> None:
    """Produce without waiting for each, in bites that the writer accepts."""
    for start in range(numbers.start, numbers.stop, 2000):
        bite = range(start, min(start + 2000, numbers.stop))
        await asyncio.gather(*(writer.start(alert(number)) for number in bite))


async def latency(rate: int, seconds: int) -> None:
    """Alerts at a steady rate; how long until the first step starts, and until the run has ended?"""
    count = rate * seconds
    with running_broker(PARTITIONS) as bench:
        writer = await prepare(bench, {"bench": PLAYBOOK})
        for name in ("executor", "sink", "processor"):
            bench.start(name)
        await bench.ready()
        warm = 200
        await flood(writer, range(10_000_000, 10_000_000 + warm))
        await asyncio.sleep(3)
        seen = Seen()
        following = asyncio.create_task(seen.follow(bench.kafka, count + warm))
        sent_ms: dict[str, int] = {}
        began = time.monotonic()
        for number in range(count):
            await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
            sent_ms[f"a-{number:08d}"] = time.time_ns() // 1_000_000
            writer.start(alert(number))
        await asyncio.wait_for(following, 120)
        first, end = [], []
        for run, request in seen.alert_of.items():
            if request in sent_ms:
                first.append(seen.first_step_ms[run] - sent_ms[request])
                end.append(seen.finished_ms[run] - sent_ms[request])
        print(f"{rate} alerts/s for {seconds} s, {len(first)} runs")
        for what, values in (("alert to first step", first), ("alert to the end of three steps", end)):
            print(f"  {what}: p50 {percentile(values, 0.5)} ms, p99 {percentile(values, 0.99)} ms")
        await writer.close()


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("what", choices=("throughput", "latency"))
    parser.add_argument("--alerts", type=int, default=20_000)
    parser.add_argument("--web", action="store_true", help="with a web process, which reads it all as well")
    parser.add_argument("--rate", type=int, default=100)
    parser.add_argument("--seconds", type=int, default=30)
    given = parser.parse_args()
    if given.what == "throughput":
        asyncio.run(throughput(given.alerts, given.web))
    else:
        asyncio.run(latency(given.rate, given.seconds))


if __name__ == "__main__":
    main()
