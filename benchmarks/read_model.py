"""What the read model spends on a journal record: CPU, time, and bytes of its file.

python -m benchmarks.read_model --runs 20000

Runs of three steps as they are journaled, their decisions and publications, in batches as they come from
Kafka; without Kafka, so that the figures are the read model's own.
"""

import argparse
import tempfile
import time
from pathlib import Path

from console.read_model.database import open_for_writing, transaction
from console.read_model.projecting import project
from schemas import codec
from schemas.alerts import Alert
from schemas.events import JournalRecord, RunFinished, RunStarted, StepRequested, StepSucceeded
from schemas.fields import Record
from schemas.ids import alert_id_for_record, run_id
from tests.console.memory_log import Stored
from tests.console.samples import PUBLISHED, REPORTED, decided, matched, with_fields

BATCH = 500
STEPS = ("one", "two", "three")


def run_of(number: int) -> list[tuple[str, Record]]:
    """One alert's records on the followed topics, (topic, record)."""
    alert = alert_id_for_record("alerts", 0, number)
    run = run_id("restart", alert)
    started = RunStarted(
        playbook="restart",
        revision="d" * 64,
        engine=1,
        request_id=alert,
        via="alert",
        alert=Alert(id=alert, title="p95 is high", body="p95 latency of checkout is above 2 s " * 5),
        due_ms=number + 3_600_000,
    )
    journal: list[tuple[str, Record]] = []
    for at, step in enumerate(STEPS):
        before = started if at == 0 else StepSucceeded(step=STEPS[at - 1], attempt=1, output={"status": 200})
        asked = StepRequested(
            step=step,
            attempt=1,
            action="log",
            arguments={"text": "hello"},
            repeatable=True,
            timeout_ms=60_000,
            start_by_ms=600_000,
            deadline_ms=660_000,
            idempotency_key=f"{run}/{step}/1",
        )
        journal.append(("run-journal", _record(run, at + 1, number, before, asked)))
    end = (StepSucceeded(step="three", attempt=1), REPORTED, RunFinished(status="succeeded", forget_ms=1))
    journal.append(("run-journal", _record(run, len(STEPS) + 1, number, *end)))
    return [
        ("decisions", matched(alert)),
        ("decisions", decided("started", number, request_id=alert, alert_id=alert, run_id=run)),
        *journal,
        ("publications", with_fields(PUBLISHED, run_id=run, at_ms=number)),
    ]


def _record(run: str, seq: int, at_ms: int, *events: object) -> JournalRecord:
    return JournalRecord(
        run_id=run,
        playbook="restart",
        seq=seq,
        cause_topic="run-inbox",
        cause_partition=0,
        cause_offset=seq,
        at_ms=at_ms,
        events=events,  # type: ignore[arg-type]  # all of them are run events
    )


def measure(runs: int) -> None:
    """Make the records, then project them, batch by batch."""
    records: list[Stored] = []
    offsets: dict[str, int] = {}
    for number in range(runs):
        for topic, record in run_of(number):
            offset = offsets[topic] = offsets.get(topic, -1) + 1
            records.append(Stored(topic, 0, offset, number, b"k", codec.encode(record)))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "model.sqlite3"
        connection = open_for_writing(file)
        began, cpu = time.perf_counter(), time.process_time()
        for start in range(0, len(records), BATCH):
            with transaction(connection):
                project(connection, records[start : start + BATCH])
        took_s, cpu_s = time.perf_counter() - began, time.process_time() - cpu
        connection.close()
        size = file.stat().st_size
    each = len(records)
    print(f"{each} records of {runs} runs in {took_s:.1f} s: {each / took_s:.0f} records/s")
    print(f"  {cpu_s / each * 1e6:.0f} µs CPU a record, {cpu_s / runs * 1000:.2f} ms a run")
    print(f"  {size / runs:.0f} bytes of its file a run")


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--runs", type=int, default=20_000)
    measure(parser.parse_args().runs)


if __name__ == "__main__":
    main()
