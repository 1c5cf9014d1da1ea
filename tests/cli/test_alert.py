"""`pulsebook alert`: sent, listed, traced."""

import json
from pathlib import Path

from cli.example import example_alert
from schemas.topics import ALERTS, DEAD_LETTERS, DECISIONS, PUBLICATIONS, RUN_JOURNAL
from tests.cli.conftest import Pulsebook, Served
from tests.console.samples import ALERT, LETTER, PUBLISHED, RUN, WHOLE_RUN, decided, matched

BODY = json.dumps(example_alert(1_795_000_000_000))


def make_demo(pulsebook: Pulsebook) -> None:
    assert pulsebook("endpoint", "create", "demo").exit_code == 0


def test_the_example_is_received_and_says_what_to_do_next(web: Served, pulsebook: Pulsebook) -> None:
    make_demo(pulsebook)
    done = pulsebook("alert", "send", "--example")
    assert done.exit_code == 0
    received, hint = done.stdout.splitlines()
    (alert,) = web.records(ALERTS)
    assert received == f"alert {alert.alert_id} received"
    assert hint == f"try: pulsebook alert trace {alert.alert_id}"
    assert alert.endpoint == "demo"


def test_two_examples_are_two_alerts(web: Served, pulsebook: Pulsebook) -> None:
    make_demo(pulsebook)
    ids = [json.loads(pulsebook("alert", "send", "--example", "--json").stdout)["alert_id"] for _ in "ab"]
    assert len(set(ids)) == 2


def test_a_file_and_standard_input_are_the_same_alert(
    web: Served, pulsebook: Pulsebook, tmp_path: Path
) -> None:
    make_demo(pulsebook)
    (tmp_path / "alert.json").write_text(BODY)
    from_file = json.loads(pulsebook("alert", "send", "alert.json", "--json").stdout)
    from_stdin = json.loads(pulsebook("alert", "send", "-", "--json", stdin=BODY).stdout)
    assert from_file == from_stdin == {"alert_id": from_file["alert_id"], "parsed": True}


def test_what_cannot_be_parsed_is_kept_and_said_so(web: Served, pulsebook: Pulsebook) -> None:
    make_demo(pulsebook)
    done = pulsebook("alert", "send", "-", stdin=b"\xff\x00{")
    assert done.exit_code == 0
    assert "could not be parsed" in done.stdout
    (alert,) = web.records(ALERTS)
    assert alert.raw == b"\xff\x00{"


def test_either_a_file_or_the_example_and_not_both(web: Served, pulsebook: Pulsebook) -> None:
    for arguments in ((), ("file.json", "--example")):
        done = pulsebook("alert", "send", *arguments)
        assert done.exit_code == 2
        assert "either a FILE" in done.stderr


def test_a_file_that_is_not_there_is_named(web: Served, pulsebook: Pulsebook) -> None:
    done = pulsebook("alert", "send", "nowhere.json")
    assert done.exit_code == 2
    assert done.stderr == "cannot read nowhere.json: No such file or directory\n"


def test_an_endpoint_that_is_not_there_is_the_answer_no(web: Served, pulsebook: Pulsebook) -> None:
    done = pulsebook("alert", "send", "--example", "--endpoint", "nosuch")
    assert done.exit_code == 1
    assert "there is no endpoint nosuch" in done.stderr


def test_a_body_that_is_too_large_is_refused_with_the_limit(web: Served, pulsebook: Pulsebook) -> None:
    make_demo(pulsebook)
    done = pulsebook("alert", "send", "-", stdin="x" * (257 * 1024))
    assert done.exit_code == 2
    assert str(256 * 1024) in done.stderr


def test_alerts_are_listed_with_what_they_matched(web: Served, pulsebook: Pulsebook) -> None:
    assert "no alerts yet" in pulsebook("alert", "list").stdout
    web.written(DECISIONS, ALERT, matched())
    _, row = pulsebook("alert", "list").stdout.splitlines()
    assert row.startswith(ALERT)
    assert "restart" in row
    (document,) = map(json.loads, pulsebook("alert", "list", "--json").stdout.splitlines())
    assert (document["alert_id"], document["matched"]) == (ALERT, ["restart"])
    assert pulsebook("alert", "list", "--endpoint", "other").stdout == "no such alerts\n"
    wrong = pulsebook("alert", "list", "--since", "1h", "--until", "2h")
    assert (wrong.exit_code, "--since is not before --until" in wrong.stderr) == (2, True)


def test_an_alert_that_could_not_be_read_says_so_in_the_list(web: Served, pulsebook: Pulsebook) -> None:
    web.written(DECISIONS, ALERT, matched(unparsable="the body is empty", looked=()))
    assert (
        pulsebook("alert", "list").stdout.splitlines()[1].endswith("(could not be read: the body is empty)")
    )


def test_a_trace_tells_the_whole_path(web: Served, pulsebook: Pulsebook) -> None:
    web.written(DECISIONS, ALERT, matched(ruled_out=4), decided("started"))
    web.written(RUN_JOURNAL, RUN, *WHOLE_RUN)
    web.written(PUBLICATIONS, RUN, PUBLISHED)
    done = pulsebook("alert", "trace", ALERT)
    assert done.exit_code == 0
    assert "received" in done.stdout
    assert "restart: matched" in done.stdout
    assert f"run {RUN}  succeeded" in done.stdout
    assert "page: not matched: tags: wanted env:prod, the alert has env:dev" in done.stdout
    assert "4 others" in done.stdout
    assert "event 777  mitigated" in done.stdout
    assert json.loads(pulsebook("alert", "trace", ALERT, "--json").stdout)["alert"]["alert_id"] == ALERT


def test_a_trace_says_by_which_rule_a_start_was_held_back(web: Served, pulsebook: Pulsebook) -> None:
    held = decided("held_back", rule="while_running", reason="run r-1 is still running")
    web.written(DECISIONS, ALERT, matched(), held)
    assert "held_back: while_running: run r-1 is still running" in pulsebook("alert", "trace", ALERT).stdout


def test_a_trace_shows_the_first_few_that_did_not_match_and_all_when_asked(
    web: Served, pulsebook: Pulsebook
) -> None:
    (_, other) = matched().looked
    many = tuple(
        type(other)(playbook=f"p{at}", revision="e" * 64, matched=False, clause="tags") for at in range(30)
    )
    web.written(DECISIONS, ALERT, matched(looked=many))
    shown = pulsebook("alert", "trace", ALERT).stdout
    assert shown.count("not matched") == 10
    assert "and 20 more that did not match: --all" in shown
    assert pulsebook("alert", "trace", ALERT, "--all").stdout.count("not matched") == 30


def test_a_trace_of_an_unknown_alert_is_the_answer_no(web: Served, pulsebook: Pulsebook) -> None:
    done = pulsebook("alert", "trace", "a-unknown")
    assert done.exit_code == 1
    assert "no alert a-unknown is known" in done.stderr


def test_an_alert_is_found_by_its_place_too(web: Served, pulsebook: Pulsebook) -> None:
    web.written(DECISIONS, ALERT, matched())
    for place in ("alerts/2/7", "pulsebook.alerts/2/7", "2/7"):
        assert f"alert {ALERT}" in pulsebook("alert", "trace", place).stdout


def test_a_place_that_became_a_dead_letter_is_the_answer_no_with_the_reason(
    web: Served, pulsebook: Pulsebook
) -> None:
    web.written(DEAD_LETTERS, "k", LETTER)
    done = pulsebook("alert", "trace", "alerts/3/11")
    assert done.exit_code == 1
    assert "alerts/3/11 is the dead letter" in done.stderr
    assert done.stderr.endswith("not an alert: no JSON\n")
    done = pulsebook("alert", "trace", "alerts/3/12")
    assert done.exit_code == 1
    assert "nothing is known of alerts/3/12" in done.stderr
