"""Journal first, then changelog, then state, then ack: whatever the broker does, and in which order."""

import asyncio
from typing import Any

import pytest

from streams.ledger import Ledger
from streams.rows import WATERMARK, applied_of, header_of, packed
from tests.streams.bench import Bench, Ended, message, settled

CHANGELOG = "p.processor-rows-changelog"


@pytest.fixture
async def ledger(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> "Ledger[str]":
    monkeypatch.setattr("streams.changelog.WATERMARK_EVERY_S", 0.05)
    return await bench.ledger("rows", str.encode, bytes.decode, partitions=(0, 1))


async def journal(bench: Bench) -> "asyncio.Future[Any]":
    return await bench.broker.put("p.run-journal", b"k", b"record")


async def test_nothing_is_written_or_acked_before_the_journal_has_it(
    bench: Bench, ledger: Ledger[str]
) -> None:
    bench.broker.hold = True
    await ledger.put(message(5), {"r": "five"}, [await journal(bench)])
    await settled()
    assert bench.broker.of(CHANGELOG) == []
    assert bench.table().row(0, b"r") is None
    assert bench.consumer.acked == []


async def test_the_next_input_sees_the_row_at_once(bench: Bench, ledger: Ledger[str]) -> None:
    bench.broker.hold = True
    await ledger.put(message(5), {"r": "five"}, [await journal(bench)])
    assert ledger.look(0, "r") == ("five", 5)
    assert ledger.get(1, "r") is None


async def test_the_store_waits_for_the_changelog(bench: Bench, ledger: Ledger[str]) -> None:
    sent = await journal(bench)
    bench.broker.hold = True
    await ledger.put(message(5), {"r": "five"}, [sent])
    await settled()
    assert [record.key for record in bench.broker.of(CHANGELOG)] == [b"r"]
    assert bench.table().row(0, b"r") is None
    assert bench.consumer.acked == []
    bench.broker.acknowledge()
    await settled()
    assert bench.table().row(0, b"r") == packed(5, b"five")
    assert bench.consumer.acked == [5]
    assert ledger.look(0, "r") == ("five", 5)


async def test_inputs_are_settled_in_their_order_whatever_is_acknowledged_first(
    bench: Bench, ledger: Ledger[str]
) -> None:
    bench.broker.hold = True
    first = await journal(bench)
    bench.broker.hold = False
    await ledger.put(message(5), {"a": "A"}, [first])
    await ledger.put(message(6), {"b": "B"}, [await journal(bench)])
    await settled()
    assert bench.consumer.acked == []
    bench.broker.acknowledge()
    await settled()
    assert bench.consumer.acked == [5, 6]


async def test_a_row_that_is_changed_again_stays_as_the_latest_input_sees_it(
    bench: Bench, ledger: Ledger[str]
) -> None:
    bench.broker.hold = True
    for offset in (5, 6, 7):
        await ledger.put(message(offset), {"r": f"at {offset}"}, [await journal(bench)])
    assert ledger.get(0, "r") == "at 7"
    bench.broker.acknowledge()
    await settled()
    assert ledger.get(0, "r") == "at 7"
    assert bench.table().row(0, b"r") == packed(7, b"at 7")
    assert bench.consumer.acked == [5, 6, 7]


async def test_a_deleted_row_is_gone_for_the_next_input_and_then_from_the_table(
    bench: Bench, ledger: Ledger[str]
) -> None:
    await ledger.put(message(5), {"r": "five"})
    await settled()
    bench.broker.hold = True
    await ledger.put(message(6), {"r": None}, [await journal(bench)])
    assert ledger.look(0, "r") == (None, -1)
    bench.broker.acknowledge()
    await settled()
    assert bench.table().row(0, b"r") is None
    assert ledger.get(0, "r") is None


async def test_a_watermark_covers_all_before_a_deletion_before_it(bench: Bench, ledger: Ledger[str]) -> None:
    await ledger.put(message(5), {"r": "five"})
    await ledger.put(message(6))
    await ledger.put(message(7), {"r": None})
    await settled()
    keys = [(record.key, record.value) for record in bench.broker.of(CHANGELOG)]
    assert keys == [
        (b"r", packed(5, b"five")),
        (WATERMARK, packed(6, b"topic-id")),
        (b"r", None),
    ]
    [tombstone] = [record for record in bench.broker.of(CHANGELOG) if record.value is None]
    assert header_of(tombstone.headers[0][1]) == (7, 1)


async def test_several_rows_of_one_input_are_marked_as_belonging_together(
    bench: Bench, ledger: Ledger[str]
) -> None:
    await ledger.put(message(5), {"a": "A", "b": "B", "c": None})
    await settled()
    marks = [record.headers for record in bench.broker.of(CHANGELOG)]
    assert [header_of(mark[0][1]) for mark in marks if mark] == [(5, 3)] * 3


async def test_the_changelog_offset_is_in_the_same_write_as_the_rows(
    bench: Bench, ledger: Ledger[str]
) -> None:
    for offset in range(3):
        await ledger.put(message(offset, partition=1), {"r": str(offset)})
    await settled()
    store = bench.table().store
    assert store._db_for_partition(1).get(store.offset_key) == b"2"


async def test_a_redelivered_input_has_its_row_written_again_as_it_is(
    bench: Bench, ledger: Ledger[str]
) -> None:
    await ledger.put(message(5), {"a": "A", "b": "B"})
    await ledger.put(message(6), {"b": "BB"})
    await settled()
    bench.broker.records.clear()
    await ledger.put_again(message(5), ["a", "b", "missing"])
    await settled()
    written = [(record.key, record.value, record.headers) for record in bench.broker.of(CHANGELOG)]
    assert written == [(b"a", packed(5, b"A"), []), (b"b", packed(6, b"BB"), [])]
    assert bench.consumer.acked[-1] == 5


async def test_watermarks_are_written_from_time_to_time_after_the_rows_they_cover(
    bench: Bench, ledger: Ledger[str]
) -> None:
    await ledger.put(message(5), {"r": "five"})
    await ledger.put(message(6))
    await asyncio.sleep(0.1)
    [row, mark] = bench.broker.of(CHANGELOG)
    assert (row.key, mark.key) == (b"r", WATERMARK)
    assert bench.table().watermark(0) == (6, "topic-id")
    assert ledger.is_covered(0, 6)
    assert not ledger.is_covered(0, 7)


async def test_a_watermark_is_on_disk_only_once_the_changelog_has_it(
    bench: Bench, ledger: Ledger[str]
) -> None:
    await ledger.put(message(5))
    await settled()
    bench.broker.hold = True
    await asyncio.sleep(0.1)
    assert [record.key for record in bench.broker.of(CHANGELOG)] == [WATERMARK]
    assert bench.table().watermark(0) is None
    bench.broker.acknowledge()
    await settled()
    assert bench.table().watermark(0) == (5, "topic-id")


async def test_a_revoked_partition_leaves_nothing_behind_and_the_others_go_on(
    bench: Bench, ledger: Ledger[str]
) -> None:
    bench.broker.hold = True
    await ledger.put(message(5, partition=0), {"r": "lost"}, [await journal(bench)])
    await ledger.put(message(9, partition=1), {"r": "kept"}, [await journal(bench)])
    ledger.revoke({0})
    bench.broker.acknowledge()
    await settled()
    assert ledger.get(1, "r") == "kept"
    assert [(record.partition, record.key) for record in bench.broker.of(CHANGELOG)] == [(1, b"r")]
    assert bench.consumer.acked == [9]


async def test_a_message_of_an_earlier_generation_is_left_alone(bench: Bench, ledger: Ledger[str]) -> None:
    await ledger.put(message(5, generation=2), {"r": "stale"})
    await settled()
    assert ledger.get(0, "r") is None
    assert bench.consumer.acked == []


async def test_a_failed_send_ends_the_process_before_the_ack(bench: Bench, ledger: Ledger[str]) -> None:
    failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    failed.set_exception(OSError("disk full"))
    await ledger.put(message(5), {"r": "five"}, [failed])
    await settled()
    assert isinstance(bench.failure(), Ended)
    assert bench.consumer.acked == []
    assert bench.broker.of(CHANGELOG) == []


async def test_under_a_lapsed_lease_no_row_is_written_until_it_holds_again(
    bench: Bench, ledger: Ledger[str]
) -> None:
    bench.app.lease._renewed_s -= 11
    await ledger.put(message(5), {"r": "five"})
    await settled()
    assert bench.broker.of(CHANGELOG) == []
    bench.app.lease.renewed(bench.app.lease.now_s())
    await asyncio.sleep(0.1)
    await settled()
    assert bench.table().row(0, b"r") == packed(5, b"five")
    assert bench.consumer.acked == [5]


async def test_a_lease_that_stays_lapsed_ends_the_process_before_a_row_is_written(
    bench: Bench, ledger: Ledger[str]
) -> None:
    bench.app.lease._renewed_s -= 1_000
    await ledger.put(message(5), {"r": "five"})
    await settled()
    assert isinstance(bench.failure(), Ended)
    assert bench.broker.of(CHANGELOG) == []


async def test_too_much_under_way_makes_the_agent_wait(
    bench: Bench, ledger: Ledger[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streams.ledger.INPUTS_MAX", 4)
    bench.broker.hold = True
    for offset in range(3):
        await ledger.put(message(offset), {}, [await journal(bench)])
    waiting = asyncio.ensure_future(ledger.put(message(3), {}, [await journal(bench)]))
    await settled()
    assert not waiting.done()
    bench.broker.acknowledge()
    await settled()
    assert waiting.done()
    assert bench.consumer.acked == [0, 1, 2, 3]


async def test_a_note_is_durable_before_its_input_is_settled(bench: Bench, ledger: Ledger[str]) -> None:
    bench.broker.hold = True
    await ledger.put(message(5), {"r": "done"}, [await journal(bench)])
    bench.broker.hold = False
    await ledger.note(message(5), "r", "trying")
    await settled()
    assert bench.table().row(0, b"r") == packed(5, b"trying")
    assert ledger.get(0, "r") == "done"
    bench.broker.acknowledge()
    await settled()
    assert bench.table().row(0, b"r") == packed(5, b"done")


async def test_rows_are_told_to_whoever_keeps_timers_with_what_was_there_before(
    bench: Bench, ledger: Ledger[str]
) -> None:
    told: list[tuple[str, str | None, str | None]] = []
    ledger.on_kept = lambda kept: told.append((kept.key, kept.before, kept.row))
    await ledger.put(message(5), {"r": "five"})
    await settled()
    await ledger.put(message(6), {"r": "six"})
    await ledger.put(message(7), {"r": None})
    await settled()
    assert told == [("r", None, "five"), ("r", "five", None)]


async def test_a_mended_row_is_in_changelog_and_table(bench: Bench, ledger: Ledger[str]) -> None:
    await ledger.mend(0, "r", "rebuilt", 12)
    await ledger.mend(0, "gone", None, 12)
    assert bench.table().row(0, b"r") == packed(12, b"rebuilt")
    assert [applied_of(record.value) for record in bench.broker.of(CHANGELOG) if record.value] == [12]
