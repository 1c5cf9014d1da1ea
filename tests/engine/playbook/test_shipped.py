"""The playbooks in `playbooks/`: right as they are, and each does what its comments say."""

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cli.example import example_body
from connectors.actions.registry import specs
from engine.alert.normalising import normalise
from engine.alert.scope import alert_scope
from engine.expressions import select
from engine.matching import match
from engine.playbook.canonical import digest
from engine.playbook.compiled import Compiled
from engine.playbook.model import ActionStep, Playbook
from engine.playbook.reading import read
from schemas.alerts import Alert
from tests.engine.run.given import Life

FOLDER = Path(__file__).parents[3] / "playbooks"
FILES = sorted(FOLDER.glob("*.yaml"))


def matching(alert: Alert) -> list[str]:
    looked = match(alert, [a_book_of(path.stem) for path in FILES])
    return [each.playbook for each in looked if each.matched]


def the_playbook(name: str) -> Playbook:
    path = FOLDER / f"{name}.yaml"
    found = read(path.read_text("utf-8"), path.name, specs())
    assert found.problems == ()
    assert found.playbook is not None
    return found.playbook


def a_book_of(name: str) -> Compiled:
    playbook = the_playbook(name)
    return Compiled(playbook, digest(playbook))


def an_alert(**fields: Any) -> Alert:
    return Alert(**{"id": "a-1", "endpoint": "demo", "transition": "Triggered"} | fields)


def a_life(name: str, alert: Alert, run_url: str = "", **inputs: Any) -> Life:
    book = a_book_of(name)
    pinned = tuple(spec.pinned for spec in specs().values())
    return Life(book.playbook, alert=alert, inputs=inputs, actions=pinned, run_url=run_url)


DISK = an_alert(
    title="Disk is 95 % full on web-1",
    kind="query_alert_monitor",
    monitor_id="7",
    metric="system.disk.in_use",
    scope="device:/dev/sda1,host:web-1",
)
SIGNAL = an_alert(
    title="[Triggered] Impossible travel",
    kind="security_signal",
    tag_list=("network.client.ip:203.0.113.9",),
    metadata={"SECURITY_RULE_NAME": "Impossible travel", "SECURITY_SIGNAL_SEVERITY": "High"},
)


def test_there_are_three() -> None:
    assert [path.stem for path in FILES] == ["disk-full", "latency-enrichment", "security-signal"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_each_is_right_named_like_its_file_and_explains_itself(path: Path) -> None:
    playbook = the_playbook(path.stem)
    assert playbook.name == path.stem
    assert playbook.call is not None, "can be tried by hand"
    text = path.read_text("utf-8")
    assert re.search(r"^# Try it: ", text, re.M)
    assert re.search(r"^# Make it yours: ", text, re.M)
    assert not re.search(r"secrets\.\w+", re.sub(r"#.*", "", text)), "works without any secret"


def test_the_example_alert_starts_the_latency_enrichment_which_works_with_nothing_set_up() -> None:
    found = normalise(example_body(), "application/json")
    assert isinstance(found, Alert)
    alert = msgspec.structs.replace(found, id="a-1", endpoint="demo")
    assert matching(alert) == ["latency-enrichment"]
    life = a_life("latency-enrichment", alert)
    assert life.asked.arguments["url"] == "http://127.0.0.1:8080/healthz"
    life.succeed({"status": 200, "answer": "ok"})
    assert life.status == "succeeded"
    assert life.finished.outputs == {"healthy": True, "deploy": "not asked"}
    (post,) = life.reports
    assert post.title == "checkout: answers 200, deployment not asked"
    assert "Fired for: service:checkout" in post.text
    assert {"enrichment", "service:checkout", "env:prod"} <= set(post.tags)


@pytest.mark.parametrize("name", ["latency-enrichment", "disk-full"])
def test_where_pulsebook_is_asked_itself_it_is_asked_under_its_own_address(name: str) -> None:
    for base in ("http://127.0.0.1:9700", "https://example.com/runs/pulsebook"):
        life = a_life(name, DISK, run_url=f"{base}/runs/r-test")
        assert life.asked.arguments["url"] == f"{base}/healthz"


def test_the_latency_enrichment_says_so_when_nobody_answers() -> None:
    alert = an_alert(title="Latency", kind="query_alert_monitor")
    life = a_life("latency-enrichment", alert, deploys_url="https://deploys.example/last")
    life.fail("unreachable", "connection refused")
    life.fire("retry")
    life.fail("unreachable", "connection refused")
    assert life.asked.arguments["query"] == {"service": "unknown service"}
    life.succeed({"version": 1.25, "author": "ann", "at": ""})
    assert life.status == "succeeded"
    assert life.reports[0].title == "unknown service: does not answer (unreachable), deployment 1.25 by ann"


def test_disk_full_only_reports_until_it_is_given_a_cleaner() -> None:
    book = a_book_of("disk-full")
    assert matching(DISK) == ["disk-full"]
    assert book.evaluate(book.playbook.admission.key, alert_scope(DISK)) == "web-1/dev/sda1"
    life = a_life("disk-full", DISK)
    life.succeed({"status": 200})
    assert life.reports[0].title == "web-1: would free space"
    life.succeed({"message": "noted"})
    assert life.status == "succeeded"
    assert life.finished.outputs == {"host": "web-1", "cleaned": False}


def test_disk_full_cleans_once_under_a_claim_and_says_what_it_freed() -> None:
    life = a_life("disk-full", DISK, cleaner_url="https://cleaner.example/jobs")
    life.fail("http_4xx", "404")
    assert life.asked.step == "clean"
    assert not life.asked.repeatable
    assert life.asked.arguments["json"] == {
        "host": "web-1",
        "device": "/dev/sda1",
        "asked_by": "pulsebook run r-test",
    }
    life.feed(life.claim())
    life.succeed({"freed_bytes": 1_000_000})
    assert "- Freed: 1000000 bytes" in life.reports[0].text
    life.succeed({"message": "noted"})
    assert life.finished.outputs == {"host": "web-1", "cleaned": True}


def selected(name: str, step: str, body: Any) -> dict[str, Any]:
    found = a_book_of(name).steps[step]
    assert isinstance(found, ActionStep)
    return select(found.select or {}, {"status": 200, "headers": {}, "body": body})


def test_what_is_kept_of_an_answer_fits_what_comes() -> None:
    assert selected("latency-enrichment", "health", "ok") == {"status": 200, "answer": "ok"}
    deploy = {"version": "1.2", "at": "noon"}
    assert selected("latency-enrichment", "deploy", deploy) == deploy | {"author": "unknown"}
    assert selected("security-signal", "reputation", {"score": 97.0}) == {"score": 97, "owner": "unknown"}
    for body, freed in (({"freed_bytes": 5}, 5), ({}, 0), (None, 0), ("accepted", 0), ([1], 0)):
        assert selected("disk-full", "clean", body) == {"freed_bytes": freed}
    for odd in (None, [1], {"a": 1}, "5 GB", True):
        assert selected("disk-full", "clean", {"freed_bytes": odd}) == {"freed_bytes": 0}
    assert selected("disk-full", "clean", {"freed_bytes": 1.5}) == {"freed_bytes": 1.5}


def test_disk_full_never_cleans_again_when_nobody_knows_whether_it_was_done() -> None:
    life = a_life("disk-full", DISK, cleaner_url="https://cleaner.example/jobs")
    life.succeed({"status": 200})
    life.feed(life.claim())
    life.feed(life.answer(status="unknown", kind="timeout", message="no answer in 600 s"))
    assert life.asked.step == "tell"
    assert "It may have been done" in life.asked.arguments["text"]
    life.feed(life.claim())
    life.succeed({"id": "1", "url": ""})
    assert life.asked.step == "note"
    assert life.asked.arguments["message"] == "disk-full of web-1 ended as failed"
    life.succeed({"message": "noted"})
    assert life.status == "failed"
    assert [report.kind for report in life.reports] == ["failed"]


def cleaning(claimed: bool = True) -> Life:
    """A run of disk-full whose cleaner is at work."""
    life = a_life("disk-full", DISK, cleaner_url="https://cleaner.example/jobs")
    life.succeed({"status": 200})
    if claimed:
        life.feed(life.claim())
    assert life.asked.step == "clean"
    return life


def told_of_failure(life: Life) -> tuple[str, str]:
    """Title and text of what the people on call are told."""
    assert life.asked.step == "tell"
    return life.asked.arguments["title"], life.asked.arguments["text"]


@pytest.mark.parametrize("kind", ["http_4xx", "unreachable", "refused", "rate_limited"])
def test_disk_full_says_that_it_was_not_done_where_that_is_sure(kind: str) -> None:
    life = cleaning()
    life.fail(kind, "no")
    assert "It was not done." in told_of_failure(life)[1]


@pytest.mark.parametrize("kind", ["http_5xx", "too_large", "bad_input", "bad_output", "internal", "timeout"])
def test_disk_full_does_not_say_that_it_was_not_done_where_it_may_have_been(kind: str) -> None:
    life = cleaning()
    life.fail(kind, "no")
    title, text = told_of_failure(life)
    assert title == f"web-1: space could not be freed ({kind})"
    assert "It may have been done" in text and "not done" not in text


def test_disk_full_that_runs_out_of_time_while_it_cleans_does_not_say_that_it_was_not_done() -> None:
    life = cleaning()
    life.fire("timeout")
    assert "It may have been done" in told_of_failure(life)[1]


def test_disk_full_that_has_cleaned_says_so_though_the_run_fails_later() -> None:
    life = cleaning()
    life.succeed({"freed_bytes": None})  # as if `select` had let it through: what follows it fails
    title, text = told_of_failure(life)
    assert title == "web-1: space was freed, then the run failed (bad_input)"
    assert "It was done" in text and "not done" not in text


def test_disk_full_of_no_host_fails_with_the_way_out() -> None:
    life = a_life("disk-full", an_alert(title="disk", metric="system.disk.in_use"))
    assert "group the monitor by host" in life.live.verdict.message if life.live.verdict else False


def test_a_serious_signal_is_looked_up_and_raised() -> None:
    assert matching(SIGNAL) == ["security-signal"]
    life = a_life("security-signal", SIGNAL, reputation_url="https://intel.example/ip")
    assert life.asked.arguments["url"] == "https://intel.example/ip/203.0.113.9"
    life.succeed({"score": 97, "owner": "somebody"})
    about = "203.0.113.9, score 97, owner somebody"
    assert life.reports[0].title == f"Triage of Impossible travel: high, {about}"
    assert life.asked.step == "raise"
    life.feed(life.claim())
    life.succeed({"id": "42", "url": ""})
    assert life.finished.outputs == {"serious": True, "event": "42"}


def test_an_address_of_our_own_is_not_asked_about() -> None:
    alert = msgspec.structs.replace(SIGNAL, tag_list=("network.client.ip:10.1.2.3",))
    life = a_life("security-signal", alert, reputation_url="https://intel.example/ip", severity="medium")
    assert life.status == "succeeded"
    assert "10.1.2.3, one of ours" in life.reports[0].title


def test_a_low_signal_ends_with_a_reason_and_without_a_word() -> None:
    life = a_life("security-signal", SIGNAL, severity="low")
    assert life.status == "succeeded"
    assert life.reports == []
