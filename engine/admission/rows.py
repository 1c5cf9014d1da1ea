"""The rows of the table `admissions`: what admission remembers, under which key, and as which bytes.

    PLAYBOOK          PlaybookRow  slots in use, who is next, what is to be forgotten together
    PLAYBOOK|KEY      KeyRow       runs of one admission key: active, next, waiting
    PLAYBOOK@RUN_ID   RunRow       one candidate: its first decision, and its run while it is queued or active
    PLAYBOOK~CYCLE    CycleRow     one cycle of an alert: its latest recovery
    PLAYBOOK#N        ChunkRow     up to 64 rows of candidates and cycles that one timer forgets
    PLAYBOOK#N|KEY    PartRow      active runs of a key that do not fit into its row, up to 64
    PLAYBOOK#N~CYCLE  PartRow      runs of a cycle that do not fit into its row, up to 64

A run id is a hash of playbook and request id, so the row of a run is also the memory of its request. What the
rows mean for the next input is in the other modules; nothing is decided here. The bytes are MessagePack
arrays: a new field goes to the end, with a default.
"""

from collections.abc import Mapping
from typing import Literal

import msgspec

from schemas.admissions import Hold
from schemas.decisions import Admission
from schemas.ids import digest
from schemas.inbox import RunRequested

Queue = tuple[tuple[int, str], ...]
"""Arrival number and run id, in the order of arrival."""

CHUNK_ROWS_MAX = 64
KEY_CHARS_MAX = 300
"""A longer key is cut and ends in its hash: it is part of row keys and of every decision."""


class Decided(msgspec.Struct, frozen=True, array_like=True):
    """A decision as a row remembers it; the rest of its record is in the row (`engine.admission.draft`)."""

    decision: Admission
    rule: str
    reason: str
    until_ms: int | None
    at_ms: int
    partition: int
    offset: int


class Throttle(msgspec.Struct, frozen=True, array_like=True):
    """Starts of a playbook, all keys together (`engine.admission.spacing`)."""

    limit: int
    per_ms: int
    starts: tuple[int, ...] = ()
    """Times of the latest ones: as many as the limit."""


class Cooldown(msgspec.Struct, frozen=True, array_like=True):
    """Starts of a key."""

    started_ms: int = 0
    """The last one; 0: none that still counts."""
    for_ms: int = 0
    """The cooldown of its revision: the row is kept for so long."""
    waiting: int = 0
    """Candidates that wait for a slot beside the key (`while_running: parallel`)."""


class PlaybookRow(msgspec.Struct, frozen=True, array_like=True, tag="playbook"):
    """Slots and queue of one playbook."""

    running: int = 0
    """Runs that were started and have not ended: the slots in use."""
    queued: int = 0
    """Candidates in the queue, whatever they wait for."""
    arrivals: int = 0
    """Number of the latest arrival in the queue."""
    ready: Queue = ()
    """Who waits for a slot and nothing else. The first is the next to start."""
    max_running: int = 20
    catalog_offset: int = -1
    """Where the catalog stood for the newest revision seen: an older one does not change `max_running`."""
    chunk: int = 0
    recent: tuple[str, ...] = ()
    """Rows of the chunk that is being filled, without the playbook's name."""
    recent_since_ms: int = 0
    enabled: bool = True
    """Whether runs may start, as far as the inputs have told."""
    enabled_offset: int = -1
    """Where the catalog stood for that and for `paused`: what is older changes them no more."""
    paused: Hold | None = None
    """What pauses the playbook, as far as the inputs have told."""
    throttle: Throttle | None = None
    """As `max_running`, that of the newest revision seen."""


class KeyRow(msgspec.Struct, frozen=True, array_like=True, tag="key"):
    """Runs of one admission key. Dropped when it is empty."""

    active: tuple[str, ...] = ()
    holder: str = ""
    """Run id that stands in `ready` and has the key: the next of this key to start."""
    waiting: Queue = ()
    """Who waits for the key."""
    parts: tuple[int, ...] = ()
    """Numbers of the parts with further active runs (`engine.admission.listing`)."""
    cooldown: Cooldown | None = None
    """None: no start of the key counts any more."""


class RunRow(msgspec.Struct, frozen=True, array_like=True, tag="run"):
    """One candidate. Queued: `request` is what starts it. Ended: only the first decision is remembered."""

    state: Literal["queued", "active", "ended"]
    request_id: str
    alert_id: str
    revision: str
    first: Decided
    """What repeats of the request are answered with."""
    remembered_until_ms: int
    key: str = ""
    cycle: str = ""
    group: str = ""
    indexed: bool = False
    """Whether the cycle's row lists this run (its key alone would not find it)."""
    happened_ms: int = 0
    parallel: bool = False
    drop: bool = True
    """`on_recovered.queued: drop`."""
    cancel: bool = False
    """`on_recovered.running: cancel`."""
    slot_ms: int = 0
    """How long after its start the slot frees itself."""
    due_ms: int = 0
    """Queued: when it expires. Active: when the slot frees itself."""
    arrival: int = 0
    request: RunRequested | None = None
    recovered: tuple[str, int] | None = None
    """Alert id and time of a recovery that came while it was queued and is to be kept."""
    key_part: int = 0
    """In which part of its key's row it is listed; 0: in the row itself."""
    cycle_part: int = 0
    cooldown_ms: int = 0
    """`cooldown` of its revision."""


class CycleRow(msgspec.Struct, frozen=True, array_like=True, tag="cycle"):
    """One cycle of an alert: the latest recovery, and runs that must be found by it."""

    recovered_by: str = ""
    recovered_ms: int = 0
    """By the sender's clock; 0 where it gave no time."""
    until_ms: int = 0
    """Until when the recovery counts (the broker's clock)."""
    runs: tuple[str, ...] = ()
    parts: tuple[int, ...] = ()


class PartRow(msgspec.Struct, frozen=True, array_like=True, tag="part"):
    """Further runs of a key or a cycle."""

    runs: tuple[str, ...]


class ChunkRow(msgspec.Struct, frozen=True, array_like=True, tag="chunk"):
    """Rows to be forgotten together."""

    rows: tuple[str, ...]
    due_ms: int


Row = PlaybookRow | KeyRow | RunRow | CycleRow | ChunkRow | PartRow

_SEPARATORS = str.maketrans(dict.fromkeys("|@~#", "|"))
_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Row)


def encode_row(row: Row) -> bytes:
    """The row as bytes; equal rows give equal bytes."""
    return _encoder.encode(row)


def decode_row(data: bytes) -> Row:
    """The inverse of `encode_row`. Raises msgspec.DecodeError for anything else."""
    row: Row = _decoder.decode(data)
    return row


def timers(row: Row) -> Mapping[str, int]:
    """The timers that the row waits for: id to due time (epoch ms)."""
    if isinstance(row, RunRow) and row.state == "active":
        return {"slot": row.due_ms}
    if isinstance(row, RunRow) and row.state == "queued":
        return {"expires": row.due_ms}
    return {"forget": row.due_ms} if isinstance(row, ChunkRow) else {}


def playbook_of(row_key: str) -> str:
    """The playbook whose row it is: the key of its records on `admissions`."""
    return row_key.translate(_SEPARATORS).partition("|")[0]


def key_row(playbook: str, key: str) -> str:
    """Row key of an admission key."""
    return f"{playbook}|{key}"


def run_row(playbook: str, run_id: str) -> str:
    """Row key of a candidate or run."""
    return f"{playbook}@{run_id}"


def cycle_row(playbook: str, cycle: str) -> str:
    """Row key of a cycle."""
    return f"{playbook}~{cycle}"


def chunk_row(playbook: str, number: int) -> str:
    """Row key of a chunk."""
    return f"{playbook}#{number}"


def short(key: str) -> str:
    """A key that is not longer than `KEY_CHARS_MAX`; different keys stay different."""
    return key if len(key) <= KEY_CHARS_MAX else f"{key[: KEY_CHARS_MAX - 25]}~{digest(key)[:24]}"


def part_row(playbook: str, suffix: str, number: int) -> str:
    """Row key of a part. `suffix`: key of the row it belongs to, without the playbook's name."""
    return f"{playbook}#{number}{suffix}"
