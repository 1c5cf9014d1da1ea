"""What if, asked of a week of alerts on a real Kafka: how long it takes, and how much memory and disk.

    python -m benchmarks.whatif --alerts 100000 --playbooks 50

A broker of its own; the week is written with times of its own, the runs are what the engine makes of it.
"""

import argparse
import asyncio
import resource
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from audit.whatif.asking import Question, what_if
from audit.whatif.world import Word
from connectors.event_log import EventLogReader
from connectors.local_kafka import LocalKafka
from engine.catalog import Catalog
from schemas.alerts import AlertReceived
from schemas.codec import encode
from schemas.events import JournalRecord
from schemas.outgoing import Cause
from schemas.topics import ALERTS, CATALOG, DAY_MS, RUN_JOURNAL
from tests.audit.whatif.history import OUTSIDE, Past, active_records, good, playbook
from tests.engine.alert.builders import an_alert

TOPICS = (CATALOG, ALERTS, RUN_JOURNAL)
PREFIX = "bench."
PARTITIONS = 4
WEEK_MS = 7 * DAY_MS
START_MS = 1_764_000_000_000
AT_ONCE = 2_000
BOOK = """\
playbook: book-{number}
on: {{alert: {{tags: {{service: service-{number}}}}}}}
admission: {{key: alert.scope, cooldown: {cooldown}}}
steps:
  - {{id: look, action: log, with: {{message: "${{{{ alert.title }}}}"}}}}
  - {{id: fix, if: "alert.host.endsWith('{host}')", action: log, with: {{message: fix}}}}
  - {{publish: {{title: "looked", text: "${{{{ steps.look.output.message }}}}"}}}}
"""


def book(number: int, changed: bool = False) -> str:
    """One playbook, for alerts of one service; changed, it holds back more and fixes others."""
    cooldown, host = ("2h", "1") if changed else ("1h", "0")
    return BOOK.format(number=number, cooldown=cooldown, host=host)


def alerts(count: int, playbooks: int) -> Iterator[tuple[int, AlertReceived]]:
    """A week of them, each with the time at which it came."""
    for number in range(count):
        at_ms = START_MS + WEEK_MS * number // count
        alert = an_alert(
            id=f"a-{number:024}",
            cycle_key=f"cycle-{number}",
            scope=f"host:web-{number % 997}",
            host=f"web-{number % 997}",
            tag_list=("monitor", f"service:service-{number % playbooks}", "env:prod"),
            last_updated_ms=at_ms,
        )
        yield (
            at_ms,
            AlertReceived(
                alert_id=alert.id, endpoint=alert.endpoint, received_at_ms=at_ms, raw=b"{}" * 500, alert=alert
            ),
        )


async def write(servers: str, count: int, playbooks: int) -> int:
    """The week as it was; how many records of runs."""
    admin = AIOKafkaAdminClient(bootstrap_servers=servers)
    await admin.start()
    as_told = {"message.timestamp.type": "CreateTime", "retention.ms": "-1"}
    await admin.create_topics(
        [
            NewTopic(PREFIX + topic.name, 1 if topic.single else PARTITIONS, 1, topic_configs=as_told)
            for topic in TOPICS
        ]
    )
    await admin.close()
    catalog = Catalog()
    journals: list[JournalRecord] = []
    past = Past(catalog, journals.append, good, lambda asked: Word())
    written = 0
    async with AIOKafkaProducer(bootstrap_servers=servers, linger_ms=20, max_batch_size=256 * 1024) as out:
        for offset, record in enumerate(active_records(playbook(book(n)) for n in range(playbooks))):
            catalog.apply(offset, record)
            await out.send(PREFIX + CATALOG.name, encode(record), timestamp_ms=START_MS)

        async def flush() -> None:
            for one in journals:
                name = PREFIX + RUN_JOURNAL.name
                await out.send(name, encode(one), one.run_id.encode(), timestamp_ms=one.at_ms)
            journals.clear()

        for number, (at_ms, received) in enumerate(alerts(count, playbooks)):
            await out.send(
                PREFIX + ALERTS.name, encode(received), received.alert_id.encode(), timestamp_ms=at_ms
            )
            past.matched(received, Cause(ALERTS.name, 0, number, at_ms))
            past.go_on()
            if len(journals) >= AT_ONCE:
                written += len(journals)
                await flush()
        past.finish()
        written += len(journals)
        await flush()
    return written


async def ask(servers: str, playbooks: int, changed: int) -> None:
    """Ask, with so many playbooks changed, and tell what it took."""
    log = EventLogReader({"bootstrap_servers": servers}, TOPICS, PREFIX)
    wanted = tuple(playbook(book(number, number < changed)) for number in range(playbooks))
    began_s, cpu_s = time.monotonic(), time.process_time()
    marks: list[tuple[str, float]] = []
    report = await what_if(
        log,
        Question(wanted, START_MS),
        OUTSIDE,
        lambda change: None,
        lambda text: marks.append((text, time.monotonic() - began_s)),
    )
    took_s = time.monotonic() - began_s
    found, used_s = report.gathered, time.process_time() - cpu_s
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{changed} of {playbooks} playbooks changed: {took_s:.1f} s, {used_s:.1f} s CPU; {found.alerts} "
        f"alerts, {found.kept} played through, {found.runs} runs on record, "
        f"{report.changed} differences; {found.spool_bytes / 1024**2:.0f} MiB on disk, "
        f"peak {peak_mib:.0f} MiB of memory"
    )
    for what in ("alerts read", "records of runs read", "played through"):
        last = [(text, at_s) for text, at_s in marks if what in text][-1:]
        for text, at_s in last:
            print(f"    {text} after {at_s:.1f} s")


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--alerts", type=int, default=100_000)
    parser.add_argument("--playbooks", type=int, default=50)
    options = parser.parse_args()
    with TemporaryDirectory(prefix="pulsebook-bench-") as folder:
        broker = LocalKafka(Path(folder))
        servers = broker.start()
        try:
            began_s = time.monotonic()
            written = asyncio.run(write(servers, options.alerts, options.playbooks))
            took_s = time.monotonic() - began_s
            print(f"{options.alerts} alerts and {written} records of runs written in {took_s:.0f} s")
            for changed in (1, options.playbooks):
                asyncio.run(ask(servers, options.playbooks, changed))
        finally:
            broker.stop()


if __name__ == "__main__":
    main()
