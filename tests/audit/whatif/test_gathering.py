"""Which alerts and which answers are taken from a log: every form that producers write, each once."""

import json

from schemas.alerts import AlertReceived
from schemas.confluent import MAGIC
from schemas.topics import ALERTS, RUN_JOURNAL
from tests.audit.whatif.history import MINUTE_MS, START_MS, History
from tests.engine.alert.builders import an_alert

BOOK = """
playbook: fix
on: {alert: {endpoint: shop}}
steps: [{id: look, action: log, with: {message: "${{ alert.title }}"}}]
"""


async def test_alerts_of_producers_are_read_in_every_form() -> None:
    past = History()
    headers = (("endpoint", b"shop"),)
    past.log.put(ALERTS, "k", json.dumps({"title": "as JSON"}).encode(), START_MS, headers)
    raw = json.dumps({"title": "left to us"}).encode()
    unread = AlertReceived(alert_id="a-raw", endpoint="shop", received_at_ms=START_MS, raw=raw)
    past.log.put(ALERTS, "k", unread, START_MS + 1)
    told = await past.asked(BOOK)
    assert [(one.title, one.how) for one in told.changes] == [("as JSON", "starts"), ("left to us", "starts")]


async def test_what_nobody_can_read_is_counted_with_the_reason_and_stops_nothing() -> None:
    past = History()
    past.log.put(ALERTS, "k", b"garbage", START_MS)
    past.log.put(ALERTS, "k", MAGIC + b"\0\0\0\7" + b"x", START_MS + 1)
    past.comes(MINUTE_MS, endpoint="shop")
    past.log.put(RUN_JOURNAL, "r-1", b"garbage", START_MS)
    told = await past.asked(BOOK)
    found = told.report.gathered
    assert (found.alerts, found.unreadable, found.kept, len(told.changes)) == (3, 2, 1, 1)
    assert found.unreadable_why == "a message in Confluent framing, and no schema registry is set"


async def test_a_redelivered_alert_is_one_alert() -> None:
    past = History()
    alert = an_alert(endpoint="shop")
    received = AlertReceived(
        alert_id=alert.id, endpoint="shop", received_at_ms=START_MS, raw=b"{}", alert=alert
    )
    for number in range(3):
        past.log.put(ALERTS, alert.id, received, START_MS + number)
    told = await past.asked(BOOK)
    assert (told.report.gathered.kept, told.how) == (1, [(alert.id, "starts")])


async def test_a_record_of_a_run_that_is_there_twice_is_heard_once() -> None:
    past = History(BOOK)
    past.comes(0, endpoint="shop")
    past.finish()
    for entries in list(past.log.entries.values()):
        for entry in [one for one in entries if one.topic == RUN_JOURNAL.name]:
            assert entry.key is not None and entry.value is not None
            past.log.put(RUN_JOURNAL, entry.key.decode(), entry.value, entry.at_ms)
    told = await past.asked(BOOK.replace("look", "see"))
    assert (told.report.gathered.runs, told.changes[0].assumed) == (1, ())


async def test_alerts_are_played_through_in_the_order_of_their_time_whatever_their_partition() -> None:
    throttled = BOOK.replace("steps:", "admission: {throttle: {limit: 2, per: 1h}}\nsteps:")
    past = History()
    for minute in (4, 1, 3, 2):
        alert = an_alert(id=f"a-{minute}", endpoint="shop", cycle_key=f"c{minute}", scope=f"host:{minute}")
        at_ms = START_MS + minute * MINUTE_MS
        received = AlertReceived(
            alert_id=alert.id, endpoint="shop", received_at_ms=at_ms, raw=b"{}", alert=alert
        )
        past.log.put(ALERTS, alert.id, received, at_ms)
    told = await past.asked(throttled)
    assert told.how == [("a-1", "starts"), ("a-2", "starts"), ("a-3", "held_back"), ("a-4", "held_back")]
