"""How many records a second `audit export` writes and `audit verify FILE` reads.

python -m benchmarks.audit_file --runs 20000

Runs of three steps as they are journaled, their alerts, decisions and publications, on a real Kafka; both
commands as processes of their own, their start included, with CPU and the greatest memory of each.
"""

import argparse
import asyncio
import os
import subprocess
import sys
import time
from pathlib import Path

import msgspec

from benchmarks.processes import ROOT, Bench, running_broker
from benchmarks.read_model import run_of
from cli.example import example_alert
from connectors.event_log_writer import EventLogWriter
from connectors.topics_admin import create_topics, planned_topics
from engine.alert.normalising import normalise
from schemas.alerts import Alert, AlertReceived
from schemas.ids import alert_id_for_record
from schemas.json import canonical
from schemas.outgoing import Outgoing
from schemas.topics import ALERTS, TOPICS

PARTITIONS = 4
AT_ONCE = 500
TOPIC_OF = {topic.name: topic for topic in TOPICS}


async def write_runs(kafka: str, runs: int) -> int:
    """The records of so many runs; how many they are."""
    options = {"bootstrap_servers": kafka}
    await create_topics(options, planned_topics("pulsebook.", PARTITIONS, 1))
    count = 0
    async with EventLogWriter(options, linger_ms=20) as writer:
        for begin in range(0, runs, AT_ONCE):
            sends = []
            for number in range(begin, min(begin + AT_ONCE, runs)):
                sends.append(Outgoing(ALERTS, f"key-{number}", _alert(number)))
                sends += [
                    Outgoing(TOPIC_OF[name], getattr(record, "run_id", str(number)), record)
                    for name, record in run_of(number)
                ]
            count += len(sends)
            await asyncio.gather(*[writer.start(send) for send in sends])
    return count


def _alert(number: int) -> AlertReceived:
    payload = example_alert()
    payload["metadata"] |= {"ALERT_SCOPE": f"host:h-{number}", "ALERT_CYCLE_KEY": str(number)}
    raw, alert_id = canonical(payload), alert_id_of(number)
    alert = normalise(raw, "application/json")
    assert isinstance(alert, Alert)
    return AlertReceived(
        alert_id=alert_id,
        endpoint="demo",
        received_at_ms=number,
        raw=raw,
        alert=msgspec.structs.replace(alert, id=alert_id),
    )


def alert_id_of(number: int) -> str:
    """As the runs of `run_of` have it."""
    return alert_id_for_record("alerts", 0, number)


def measured(bench: Bench, name: str, records: int, *arguments: str) -> None:
    """Run one command and print what it took."""
    command = [sys.executable, "-m", "cli.main", "audit", *arguments]
    began = time.perf_counter()
    child = subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, **bench.environment}, stdout=subprocess.DEVNULL
    )
    _, status, used = os.wait4(child.pid, 0)
    took_s = time.perf_counter() - began
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"{name}: exit code {child.returncode}")
    cpu_s = used.ru_utime + used.ru_stime
    print(
        f"{name:<18} {took_s:6.1f} s  {records / took_s:8.0f} records/s  {cpu_s / records * 1e6:5.0f} µs CPU "
        f"a record  {used.ru_maxrss / 1024:5.0f} MiB"
    )


def measure(runs: int) -> None:
    """Write, export with each codec, verify each."""
    with running_broker(PARTITIONS) as bench:
        records = asyncio.run(write_runs(bench.kafka, runs))
        print(f"{records} records of {runs} runs")
        for codec in ("deflate", "zstd"):
            file = Path(bench.folder) / f"{codec}.avro"
            measured(bench, f"export {codec}", records, "export", str(file), "--codec", codec)
            size = file.stat().st_size
            print(f"  {size / 2**20:.1f} MiB, {size / records:.0f} bytes a record")
            measured(bench, f"verify {codec}", records, "verify", str(file))
        one = Path(bench.folder) / "one.avro"
        measured(bench, "export --alert", records, "export", str(one), "--alert", alert_id_of(runs // 2))


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--runs", type=int, default=20_000)
    measure(parser.parse_args().runs)


if __name__ == "__main__":
    main()
