"""What `pulsebook alert trace` prints, beyond what `test_alert.py` looks at."""

import json
from typing import Any

import pytest

from cli.trace_shown import show_trace
from schemas import codec
from schemas.dead_letters import DeadLetterHandled
from schemas.events import RecoverySeen
from schemas.topics import ALERTS, CATALOG, DEAD_LETTERS, DECISIONS, RUN_JOURNAL
from tests.cli.conftest import Pulsebook, Served
from tests.console.samples import (
    ALERT,
    LETTER,
    RUN,
    STARTED,
    WHOLE_RUN,
    decided,
    journal,
    matched,
    with_fields,
)
from tests.console.test_recomputing import an_alert, changes

RECOVERY = "a-cccccccccccccccccccccccc"


def test_a_run_is_shown_with_its_steps_and_times(web: Served, pulsebook: Pulsebook) -> None:
    web.written(DECISIONS, ALERT, matched(), decided("started"))
    web.written(RUN_JOURNAL, RUN, *WHOLE_RUN)

    shown = pulsebook("alert", "trace", ALERT).stdout

    assert f"run {RUN}  succeeded  1970-01-01 00:00:01.000, took 1.0 s" in shown
    assert "look  http.request  succeeded in 250 ms" in shown
    assert "by the catalog before offset 4" in shown


def test_what_was_started_with_the_alert_but_not_by_it_says_who_did(
    web: Served, pulsebook: Pulsebook
) -> None:
    called = with_fields(STARTED, via="api", actor="mira", request_id="q-1", playbook="cleanup")
    web.written(DECISIONS, ALERT, matched(), decided("started"))
    web.written(DECISIONS, "q-1", decided("started", request_id="q-1", playbook="cleanup", run_id="r-9"))
    web.written(RUN_JOURNAL, RUN, *WHOLE_RUN)
    web.written(RUN_JOURNAL, "r-9", journal(1, called, run_id="r-9", playbook="cleanup"))

    shown = pulsebook("alert", "trace", ALERT).stdout

    assert "cleanup: started with this alert, not by it" in shown
    assert "run r-9  running  1970-01-01 00:00:01.000, no end yet  started by api mira" in shown


def test_a_recovery_says_what_came_of_it(web: Served, pulsebook: Pulsebook) -> None:
    web.written(DECISIONS, RECOVERY, matched(RECOVERY, recovery=True, looked=()))
    assert "no run of its cycle was waiting or going on" in pulsebook("alert", "trace", RECOVERY).stdout
    web.written(DECISIONS, ALERT, matched(), decided("started"))
    web.written(
        RUN_JOURNAL, RUN, WHOLE_RUN[0], journal(2, RecoverySeen(alert_id=RECOVERY, recovered_at_ms=1))
    )

    assert f"run {RUN} heard of it" in pulsebook("alert", "trace", RECOVERY).stdout
    assert f"heard of the recovery {RECOVERY}" in pulsebook("alert", "trace", ALERT).stdout


def test_a_dead_letter_of_the_alert_is_shown_until_somebody_has_dealt_with_it(
    web: Served, pulsebook: Pulsebook
) -> None:
    web.written(DECISIONS, ALERT, matched(unparsable="no JSON", looked=()))
    web.written(DEAD_LETTERS, "k", with_fields(LETTER, partition=2, offset=7))
    (held,) = (held for place, held in web.log.messages.items() if place[0] == DEAD_LETTERS.name)
    letter = f"{held[0].partition}-{held[0].offset}"

    shown = pulsebook("alert", "trace", ALERT).stdout
    assert "could not be read: no JSON" in shown
    assert f"dead letter {letter}" in shown
    assert f"open; pulsebook deadletter show {letter}" in shown

    done = DeadLetterHandled(
        partition=held[0].partition, offset=0, outcome="dropped", actor="mira", at_ms=1, reason="a probe"
    )
    web.written(DEAD_LETTERS, "k", done)
    shown = pulsebook("alert", "trace", ALERT).stdout
    assert "dropped by mira (a probe)" in shown
    assert "open" not in shown


def test_what_nobody_looked_at_is_recomputed_up_to_a_limit_and_marked(
    web: Served, pulsebook: Pulsebook
) -> None:
    for at in range(150):
        for change in changes(f"far-{at:03}", monitor=(str(at),), kind=("other",)):
            web.do(web.log.write(CATALOG, "playbook", change))
    place = web.do(web.log.append(ALERTS, b"k", codec.encode(an_alert())))
    record = matched(
        "a-1", partition=place.partition, offset=place.offset, catalog_offset=300, looked=(), ruled_out=150
    )
    web.written(DECISIONS, "a-1", record)

    plain = pulsebook("alert", "trace", "a-1").stdout
    assert "150 others ask for other alerts and did not come near; each: --all" in plain
    assert "recomputed" not in plain

    some = pulsebook("alert", "trace", "a-1", "--all", "--limit", "120").stdout
    assert "150 were not looked at; recomputed now" in some
    assert some.count("not matched: kind: wanted kind other, alert has metric (recomputed)") == 120
    assert "and 30 more: --limit 150" in some

    (document,) = map(json.loads, pulsebook("alert", "trace", "a-1", "--all", "--json").stdout.splitlines())
    assert len(document["recomputed"]["items"]) == document["recomputed"]["total"] == 150
    assert all(one["recomputed"] for one in document["recomputed"]["items"])


def a_trace(**more: Any) -> dict[str, Any]:
    alert: dict[str, Any] = {
        "alert_id": "a-1",
        "received_at_ms": 1,
        "decided_at_ms": 2,
        "endpoint": "",
        "source": "kafka",
        "title": "hot",
        "transition": "",
        "monitor_id": "",
        "scope": "",
        "partition": 0,
        "offset": 0,
        "catalog_offset": 4,
        "ruled_out": 2,
        "unparsable": "",
        "put_back": None,
    }
    return {
        "alert": alert,
        "playbooks": [],
        "publications": [],
        "dead_letters": [],
        "recovery": None,
        "recomputed": None,
        **more,
    }


def test_a_record_that_the_catalog_contradicts_is_called_so(capsys: pytest.CaptureFixture[str]) -> None:
    one = {"playbook": "p", "revision": "", "matched": True, "clause": "", "detail": ""}
    show_trace(a_trace(recomputed={"items": [one], "next": None, "total": 1, "problem": ""}), True)
    shown = capsys.readouterr().out
    assert "CONTRADICTION: 2 were ruled out by the record, 1 by the catalog" in shown
    assert "p: matches: CONTRADICTION with the record" in shown


def test_what_cannot_be_recomputed_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    show_trace(a_trace(recomputed={"items": [], "next": None, "total": 2, "problem": "it is gone"}), True)
    shown = capsys.readouterr().out
    assert "cannot be recomputed: it is gone" in shown
    assert "from a Kafka producer" in shown
