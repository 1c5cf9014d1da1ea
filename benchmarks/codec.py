"""How long records take to become bytes and back, beside fastavro with plain dicts and msgspec's JSON.

`python -m benchmarks.codec` prints a table; nothing is written. Microseconds, the best of several rounds.
"""

import io
import timeit
from collections.abc import Callable
from functools import partial
from typing import Any

import fastavro
import msgspec

from schemas.avro_form import schema_of
from schemas.codec import HEADER_BYTES, decode, encode
from schemas.fields import Record
from tests.schemas.sample_events import EVENTS, journal
from tests.schemas.samples import SAMPLES

ROUNDS, CALLS = 5, 2_000


def main() -> None:
    """Print the table."""
    heads = ("record", "bytes", "encode", "decode", "fastavro write", "fastavro read", "JSON write")
    print(f"{heads[0]:<32}" + "".join(f"{head:>15}" for head in heads[1:]))
    for name, record in _records():
        data = encode(record)
        times_us = [
            _time_us(partial(encode, record)),
            _time_us(partial(decode, data)),
            *_fastavro_us(record, data),
            _time_us(partial(msgspec.json.encode, record)),
        ]
        print(f"{name:<32}{len(data):>15}" + "".join(f"{time_us:>15.1f}" for time_us in times_us))


def _records() -> list[tuple[str, Record]]:
    singles = [(f"JournalRecord[{type(event).__name__}]", journal(event)) for event in EVENTS[:5]]
    return [(type(record).__name__, record) for record in SAMPLES] + singles


def _fastavro_us(record: Record, data: bytes) -> tuple[float, float]:
    """Writing and reading plain dicts, without making records of them or of their JSON texts."""
    schema = fastavro.parse_schema(schema_of(type(record)))
    body = data[HEADER_BYTES:]

    def read() -> Any:
        return fastavro.schemaless_reader(
            io.BytesIO(body), schema, None, return_record_name=True, return_record_name_override=True
        )

    plain = read()
    return _time_us(lambda: fastavro.schemaless_writer(io.BytesIO(), schema, plain)), _time_us(read)


def _time_us(call: Callable[[], object]) -> float:
    return min(timeit.repeat(call, number=CALLS, repeat=ROUNDS)) / CALLS * 1e6


if __name__ == "__main__":
    main()
