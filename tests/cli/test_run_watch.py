"""`pulsebook run watch`: followed to the end, in sentences, through a restart of the web process."""

import json
import threading
import time

import msgspec
import pytest

from cli import following
from cli.run_shown import event_line
from console.run_view import record_view
from schemas import codec
from schemas.events import RunEvent
from schemas.topics import DECISIONS, RUN_JOURNAL
from tests.cli.conftest import Pulsebook, Served
from tests.cli.sse_server import Breaking
from tests.console.samples import ALERT, RUN, WHOLE_RUN, decided

RECORDS = [msgspec.to_builtins(record_view(codec.encode(record))) for record in WHOLE_RUN]
END = {"run_id": RUN, "status": "succeeded", "message": ""}


def test_a_run_is_told_in_sentences_to_its_end(web: Served, pulsebook: Pulsebook) -> None:
    web.written(RUN_JOURNAL, RUN, *WHOLE_RUN)
    done = pulsebook("run", "watch", RUN)
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert "playbook restart started (alert)" in lines[0]
    assert "look: http.request requested" in lines[1]
    assert lines[-1] == f"run {RUN} succeeded"


def test_machines_get_every_record_as_a_document(web: Served, pulsebook: Pulsebook) -> None:
    web.written(RUN_JOURNAL, RUN, *WHOLE_RUN)
    events = list(map(json.loads, pulsebook("run", "watch", RUN, "--json").stdout.splitlines()))
    assert [(each["event"], each.get("seq")) for each in events] == [
        ("record", 1),
        ("record", 2),
        ("end", None),
    ]


def test_what_happens_while_it_looks_on_is_told(web: Served, pulsebook: Pulsebook) -> None:
    web.written(RUN_JOURNAL, RUN, WHOLE_RUN[0])

    def go_on() -> None:
        time.sleep(0.3)
        web.written(RUN_JOURNAL, RUN, WHOLE_RUN[1])

    later = threading.Thread(target=go_on)
    later.start()
    done = pulsebook("run", "watch", RUN)
    later.join()
    assert done.stdout.splitlines()[-1] == f"run {RUN} succeeded"


def test_a_run_that_never_started_ends_with_1_and_the_reason(web: Served, pulsebook: Pulsebook) -> None:
    web.written(DECISIONS, ALERT, decided("held_back", rule="while_running", reason="r-1 runs"))
    done = pulsebook("run", "watch", RUN)
    assert done.exit_code == 1
    assert done.stdout.startswith(f"run {RUN} held_back")
    assert "r-1 runs" in done.stdout


def test_a_web_that_restarts_is_asked_for_the_rest(
    pulsebook: Pulsebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = [("1", "record", RECORDS[0])], [("2", "record", RECORDS[1]), ("", "end", END)]
    monkeypatch.setattr(following, "AGAIN_AFTER_S", 0.01)
    with Breaking(first, 503, second) as server:
        monkeypatch.setenv("PULSEBOOK_URL", server.url)
        done = pulsebook("run", "watch", RUN, "--json")
    assert [json.loads(line).get("seq") for line in done.stdout.splitlines()] == [1, 2, None]
    assert server.asked == [None, "1", "1"]
    assert done.exit_code == 0


def test_a_pulsebook_that_is_not_there_is_not_waited_for(pulsebook: Pulsebook) -> None:
    began = time.monotonic()
    done = pulsebook("run", "watch", RUN, env={"PULSEBOOK_URL": "http://127.0.0.1:9"})
    assert done.exit_code == 3
    assert "cannot reach Pulsebook" in done.stderr
    assert time.monotonic() - began < 5


def test_an_event_that_this_program_does_not_know_is_named() -> None:
    assert event_line({"type": "RunTeleported", "where": "elsewhere"}) == "RunTeleported"
    assert event_line({"type": "RunStarted", "playbook": 7}) == "RunStarted"


@pytest.mark.parametrize("event", [event for record in WHOLE_RUN for event in record.events])
def test_every_event_survives_its_way_through_the_api(event: RunEvent) -> None:
    shown = {"type": type(event).__name__, **msgspec.to_builtins(event)}
    assert event_line(shown) != type(event).__name__
