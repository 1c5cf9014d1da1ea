"""Records are turned into bytes before the first is sent; what cannot be written is said, not sent."""

import pytest

from schemas.inbox import TimerFired
from schemas.outgoing import Outgoing
from schemas.topics import RUN_INBOX
from streams.outbox import Unwritable
from tests.streams.bench import Bench, Ended
from tests.streams.books import finished


async def test_a_record_goes_to_its_topic_under_its_key(bench: Bench) -> None:
    fired = TimerFired(row="r-1", timer="t", due_ms=1)
    await bench.outbox.send(bench.outbox.prepared([Outgoing(RUN_INBOX, "r-1", fired)]))
    [sent] = bench.broker.records
    assert (sent.topic, sent.key, sent.partition) == ("p.run-inbox", b"r-1", None)


async def test_a_record_that_is_too_large_is_not_sent(bench: Bench) -> None:
    large = finished("r-1", "one", 1, output="x" * 200_000)
    with pytest.raises(Unwritable, match=r"a StepFinished has 200\d\d\d bytes; at most 100000 are written"):
        bench.outbox.prepared([Outgoing(RUN_INBOX, "r-1", large)])


async def test_a_value_that_has_no_written_form_is_not_sent(bench: Bench) -> None:
    nonsense = finished("r-1", "one", 1, output=float("nan"))
    with pytest.raises(Unwritable, match="a StepFinished has no written form"):
        bench.outbox.prepared([Outgoing(RUN_INBOX, "r-1", nonsense)])


async def test_without_the_lease_nothing_is_sent(bench: Bench) -> None:
    bench.app.lease._renewed_s -= 1_000
    with pytest.raises(Ended, match="lapsed"):
        await bench.outbox.send([])
