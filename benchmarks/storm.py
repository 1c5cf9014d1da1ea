"""A storm: 10,000 webhooks in 10 s on few or many keys, 50 playbooks of which each alert fits five.

    python -m benchmarks.storm --alerts 10000 --seconds 10 --keys 1 10 1000

Everything real: broker, web, processor, executor, sink with a Datadog that is away. Told for each number of
keys: how many webhooks were answered 202, 503 or otherwise, how long until every alert has its decisions and
every run has ended, and the largest memory of each process meanwhile.
"""

import argparse
import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from urllib.parse import urlsplit

from benchmarks.path import percentile, prepare
from benchmarks.processes import Bench, free_port, running_broker
from benchmarks.webhooks import new_endpoint, posted, request
from connectors.event_log import EventLogReader
from schemas.decisions import AdmissionDecided, AlertMatched
from schemas.events import JournalRecord, RunFinished
from schemas.topics import DECISIONS, RUN_JOURNAL

PARTITIONS = 4
PLAYBOOKS, TEAMS = 50, 10
CONNECTIONS = 32
GIVE_UP_S = 600
PLAYBOOK = """\
playbook: {name}
on:
  alert: {{endpoint: bench, tags: {{team: {team}}}}}
steps:
  - {{id: look, action: log, with: {{message: "${{{{ alert.title }}}}"}}}}
report: [failed]
"""


class Worked:
    """What decisions and journal say so far."""

    def __init__(self) -> None:
        self.matched: set[str] = set()
        self.fitted = 0
        self.first: dict[tuple[str, str], str] = {}
        self.last: dict[tuple[str, str], str] = {}
        self.ended: set[str] = set()

    async def follow(self, kafka: str) -> None:
        """Read on and on."""
        reader = EventLogReader({"bootstrap_servers": kafka}, (DECISIONS, RUN_JOURNAL))
        async for batch in reader.follow():
            for entry in batch:
                self._note(entry.record)

    def _note(self, record: object) -> None:
        if isinstance(record, AlertMatched) and record.alert_id not in self.matched:
            self.matched.add(record.alert_id)
            self.fitted += sum(looked.matched for looked in record.looked)
        elif isinstance(record, AdmissionDecided):
            candidate = (record.request_id, record.playbook)
            self.first.setdefault(candidate, record.decision)
            # A repeated candidate is answered with its first decision again.
            if record.decision != "queued" or candidate not in self.last:
                self.last[candidate] = record.decision
        elif isinstance(record, JournalRecord) and any(isinstance(one, RunFinished) for one in record.events):
            self.ended.add(record.run_id)

    def done(self, accepted: int) -> bool:
        """Whether every accepted alert was decided and every run has ended."""
        counted = Counter(self.last.values())
        return (
            len(self.matched) == accepted
            and len(self.first) == self.fitted
            and not counted["queued"]
            and counted["started"] == len(self.ended)
        )


async def blow(url: str, alerts: int, seconds: float, keys: int) -> tuple[Counter[int], list[float]]:
    """Post the alerts at a steady rate; statuses (0: no answer), and how long each took in s."""
    to = urlsplit(url)
    statuses: Counter[int] = Counter()
    taken_s: list[float] = []
    numbers = iter(range(alerts))
    began_s = time.monotonic()

    async def work() -> None:
        reader, writer = await asyncio.open_connection(to.hostname, to.port)
        for number in numbers:
            key = number % keys
            sent = request(
                to.path,
                number,
                ALERT_CYCLE_KEY=f"cycle-{key}",
                ALERT_SCOPE=f"host:web-{key}",
                TAGS=f"env:prod, team:t{number % TEAMS}",
            )
            await asyncio.sleep(max(0.0, began_s + number * seconds / alerts - time.monotonic()))
            asked_s = time.monotonic()
            try:
                statuses[await posted(reader, writer, sent)] += 1
            except (OSError, asyncio.IncompleteReadError):
                statuses[0] += 1
                reader, writer = await asyncio.open_connection(to.hostname, to.port)
            taken_s.append(time.monotonic() - asked_s)
        writer.close()

    await asyncio.gather(*(work() for _ in range(CONNECTIONS)))
    return statuses, taken_s


async def watch(bench: Bench, largest_mib: dict[str, float]) -> None:
    """Keep the largest memory of each process."""
    while True:
        for name, (_, rss_mib) in bench.usage().items():
            largest_mib[name] = max(largest_mib.get(name, 0.0), rss_mib)
        await asyncio.sleep(0.5)


async def storm(alerts: int, seconds: float, keys: int) -> None:
    """One storm on processes of its own."""
    with running_broker(PARTITIONS) as bench:
        names = {f"storm-{number}": f"t{number % TEAMS}" for number in range(PLAYBOOKS)}
        writer = await prepare(bench, {name: PLAYBOOK.format(name=name, team=names[name]) for name in names})
        await writer.close()
        port = bench.ports["web"] = free_port()
        bench.start("web", PULSEBOOK_WEB_PORT=str(port))
        for name in ("executor", "sink", "processor"):
            bench.start(name)
        await bench.ready()
        url = await asyncio.to_thread(new_endpoint, port)
        before, largest_mib, worked = bench.usage(), dict[str, float](), Worked()
        beside = [asyncio.create_task(one) for one in (watch(bench, largest_mib), worked.follow(bench.kafka))]
        began_s = time.monotonic()
        statuses, taken_s = await blow(url, alerts, seconds, keys)
        blown_s = time.monotonic() - began_s
        while not worked.done(statuses[202]):
            await asyncio.sleep(0.1)
            if time.monotonic() - began_s > GIVE_UP_S:
                raise SystemExit(f"not worked off after {GIVE_UP_S} s: {said(worked)}")
        worked_s = time.monotonic() - began_s
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)
        print(f"{alerts} webhooks on {keys} keys in {blown_s:.1f} s, answers {dict(statuses)}")
        print(
            f"  p50 {percentile(taken_s, 0.5) * 1000:.0f} ms, p99 {percentile(taken_s, 0.99) * 1000:.0f} ms"
        )
        print(f"  all worked off after {worked_s:.1f} s: {said(worked)}")
        print(
            "  "
            + ", ".join(
                f"{name} {before[name][1]:.0f} -> at most {mib:.0f} MiB" for name, mib in largest_mib.items()
            )
        )


def said(worked: Worked) -> str:
    """What became of the candidates."""
    counted = sorted(Counter(worked.last.values()).items())
    decided = ", ".join(f"{number} {what}" for what, number in counted)
    ended = f"{len(worked.ended)} runs ended"
    return f"{len(worked.matched)} alerts, {worked.fitted} candidates ({decided}), {ended}"


def main(arguments: Sequence[str] | None = None) -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--alerts", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--keys", type=int, nargs="+", default=[1, 10, 1_000])
    given = parser.parse_args(arguments)
    for keys in given.keys:
        asyncio.run(storm(given.alerts, given.seconds, keys))


if __name__ == "__main__":
    main()
