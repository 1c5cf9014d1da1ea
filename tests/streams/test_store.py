"""Rows on disk: written with their changelog offset, recovered from a changelog, closed when they go."""

from typing import Any, NamedTuple

import pytest
from faust.types import TP

from streams.rows import HEADER, WATERMARK, packed
from streams.store import RowStore
from tests.streams.bench import Bench, Ended

CHANGELOG = "p.processor-rows-changelog"


class ChangelogMessage(NamedTuple):
    """What Faust reads from a changelog."""

    partition: int
    offset: int
    key: bytes
    value: bytes | None


class ChangelogEvent(NamedTuple):
    message: ChangelogMessage
    headers: dict[str, bytes]


def event(offset: int, key: bytes, value: bytes | None, mark: bytes = b"", partition: int = 0) -> Any:
    return ChangelogEvent(ChangelogMessage(partition, offset, key, value), {HEADER: mark} if mark else {})


async def store_of(bench: Bench) -> RowStore:
    await bench.ledger("rows", str.encode, bytes.decode)
    return bench.table().store


def recover(store: RowStore, *events: Any) -> None:
    store.apply_changelog_batch(events, lambda key: key, lambda value: value)


async def test_recovery_keeps_the_greatest_applied_of_each_row(bench: Bench) -> None:
    store = await store_of(bench)
    recover(store, event(0, b"r", packed(5, b"five")), event(1, b"r", packed(3, b"stale")))
    assert store.row(0, b"r") == packed(5, b"five")
    assert store.persisted_offset(TP(CHANGELOG, 0)) == 1


async def test_recovery_goes_on_over_batches(bench: Bench) -> None:
    store = await store_of(bench)
    torn = b"\x00\x00\x00\x00\x00\x00\x00\x07\x00\x02"
    recover(store, event(0, b"a", packed(7, b"a"), torn))
    assert store.row(0, b"a") is None
    recover(store, event(1, b"b", packed(7, b"b"), torn))
    assert (store.row(0, b"a"), store.row(0, b"b")) == (packed(7, b"a"), packed(7, b"b"))
    assert store.recovered() == {}


async def test_what_is_torn_at_the_end_is_forgotten_and_read_again_next_time(bench: Bench) -> None:
    store = await store_of(bench)
    torn = b"\x00\x00\x00\x00\x00\x00\x00\x07\x00\x02"
    recover(store, event(0, b"z", packed(1, b"z")), event(1, b"a", packed(7, b"a"), torn))
    store.recovered()
    assert store.row(0, b"a") is None
    assert store.persisted_offset(TP(CHANGELOG, 0)) == 0


async def test_rows_of_a_worker_that_had_lost_its_partition_are_named(bench: Bench) -> None:
    store = await store_of(bench)
    recover(store, event(0, WATERMARK, packed(9, b"id")), event(1, b"r", packed(4, b"zombie")))
    assert store.recovered() == {0: {b"r"}}
    assert store.recovered() == {}


async def test_suspects_are_named_again_after_a_crash_until_they_are_mended(bench: Bench) -> None:
    """The changelog has been read by then, so the next start would find nothing wrong in it."""
    store = await store_of(bench)
    recover(store, event(0, WATERMARK, packed(9, b"id")), event(1, b"r", packed(4, b"zombie")))
    store._replays.clear()
    store.revoke_partitions(bench.table(), {TP(CHANGELOG, 0)})
    assert store.recovered([0, 1]) == {0: {b"r"}}
    recover(store, event(2, b"s", packed(11, b"new")))
    assert store.recovered() == {0: {b"r"}}
    assert [key for key, _ in store.rows_after(0, None, 9)] == [b"r", b"s"]
    store.mended(0)
    assert store.recovered([0, 1]) == {}


async def test_a_suspect_of_which_a_newer_row_comes_is_one_no_more(bench: Bench) -> None:
    store = await store_of(bench)
    recover(store, event(0, WATERMARK, packed(9, b"id")), event(1, b"r", packed(4, b"zombie")))
    store._replays.clear()
    recover(store, event(2, b"r", packed(11, b"the owner's")))
    assert store.recovered([0]) == {}


async def test_a_deletion_by_hand_holds(bench: Bench) -> None:
    store = await store_of(bench)
    recover(store, event(0, b"r", packed(5, b"five")), event(1, b"r", None))
    assert store.row(0, b"r") is None


async def test_rows_are_listed_in_steps_without_what_is_not_a_row(bench: Bench) -> None:
    store = await store_of(bench)
    rows: dict[bytes, bytes | None] = {b"r%d" % number: packed(number, b"") for number in range(5)}
    store.write(0, {WATERMARK: packed(9, b"id"), **rows}, 17)
    first = store.rows_after(0, None, 3)
    rest = store.rows_after(0, first[-1][0], 3)
    assert [key for key, _ in first + rest] == [b"r0", b"r1", b"r2", b"r3", b"r4"]


async def test_partitions_are_databases_of_their_own_and_closed_when_revoked(bench: Bench) -> None:
    store = await store_of(bench)
    store.write(0, {b"r": packed(1, b"zero")}, 1)
    store.write(1, {b"r": packed(1, b"one")}, 1)
    store.revoke_partitions(bench.table(), {TP(CHANGELOG, 0)})
    assert list(store._dbs) == [1]
    assert store.row(0, b"r") == packed(1, b"zero")
    assert store.row(1, b"r") == packed(1, b"one")


async def test_a_disk_that_takes_nothing_ends_the_process(bench: Bench) -> None:
    store = await store_of(bench)
    store._db_for_partition(0).close()
    with pytest.raises(Ended, match="of the table rows cannot be written"):
        store.write(0, {b"r": b"row"}, 1)
    store._dbs.clear()


async def test_faust_s_own_way_of_writing_is_refused(bench: Bench) -> None:
    await store_of(bench)
    with pytest.raises(TypeError, match="by the ledger only"):
        bench.table()[b"r"] = b"x"
    with pytest.raises(TypeError, match="by the ledger only"):
        del bench.table()[b"r"]
