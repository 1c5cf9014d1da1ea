"""What a step costs with ever more live runs in the table: `python -m benchmarks.live_rows`. No broker.

The table is a RocksDB as the processor opens it. A step here is what the processor does with a StepFinished
beside Kafka, for a run that is not at hand: read the row, decode it, advance, encode row and journal record,
write the row.
"""

import random
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.engine import AT_MS, EXPRESSIVE, inputs_of
from engine.playbook.compiled import Compiled
from engine.run.advancing import advance, decode_row, encode_row
from schemas.alerts import Alert
from schemas.codec import encode
from schemas.inbox import InboxRecord
from schemas.outgoing import Cause
from streams.rocks import Database, new_batch, open_database

COUNTS = (100, 1_000, 10_000, 100_000)
STEPS = 3_000
PERCENT = (50, 99)


def begun(book: Compiled, request: InboxRecord, at: int) -> bytes:
    """The row of run number `at`, which waits for its first step."""
    row = advance(None, request, Cause("run-inbox", 0, at, AT_MS), book).row
    assert row is not None
    return encode_row(row)


def fill(database: Database, row: bytes, first: int, end: int) -> None:
    """Live runs `first` to `end`."""
    for start in range(first, end, 1_000):
        batch = new_batch()
        for at in range(start, min(start + 1_000, end)):
            batch.put(b"r-%06d" % at, row)
        database.write(batch)


def step_us(database: Database, book: Compiled, answer: InboxRecord, keys: Sequence[bytes]) -> list[float]:
    """Microseconds of each of these steps, the quickest first."""
    took = []
    for number, key in enumerate(keys):
        began = time.perf_counter()
        kept = database.get(key)
        assert kept is not None
        after = advance(decode_row(kept), answer, Cause("run-inbox", 0, 1_000_000 + number, AT_MS + 1), book)
        assert after.row is not None and after.journal is not None
        encode(after.journal)
        batch = new_batch()
        batch.put(key, encode_row(after.row))
        database.write(batch)
        took.append((time.perf_counter() - began) * 1e6)
        back = new_batch()
        back.put(key, kept)
        database.write(back)
    return sorted(took)


def main() -> None:
    alert = Alert(
        id="a-1", title="latency is high", body="x" * 500, tag_list=("service:checkout", "env:prod")
    )
    book, (request, answer, *_) = inputs_of(EXPRESSIVE, alert)
    row = begun(book, request, 0)
    chosen = random.Random(1)  # noqa: S311 - which runs go on, the same each time
    print(f"{'live runs':>10}{'us a step, p50':>16}{'p99':>8}   rows of {len(row)} bytes")
    with tempfile.TemporaryDirectory() as folder:
        database = open_database(Path(folder) / "runs")
        filled = 0
        for count in COUNTS:
            fill(database, row, filled, count)
            filled = count
            keys = [b"r-%06d" % chosen.randrange(count) for _ in range(STEPS)]
            took = step_us(database, book, answer, keys)
            p50, p99 = (took[len(took) * percent // 100] for percent in PERCENT)
            print(f"{count:>10,}{p50:>16.0f}{p99:>8.0f}")
        database.close()


if __name__ == "__main__":
    main()
