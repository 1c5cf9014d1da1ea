"""The texts that Datadog gets: complete, within its limits, and calling nobody by accident."""

import pytest

from engine.playbook.model import PublishStep
from engine.run.reporting import AGGREGATION_KEY_MAX, TAGS_MAX, TEXT_MAX, TITLE_MAX, harmless
from schemas.events import Reported
from tests.engine.run.given import RUN_ID, Life, a_playbook, a_step, an_alert, one


def published(alert_body: str = "", **fields: object) -> Reported:
    step = PublishStep(**{"path": "#1", "title": "t", **fields})  # type: ignore[arg-type]  # test data
    life = Life(a_playbook(step), alert=an_alert(body=alert_body))
    return one(Reported, life.events)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("@slack-ops", "@\u200bslack-ops"),
        ("ping @all and @ann@example.com", "ping @\u200ball and @\u200bann@\u200bexample.com"),
        ("5 @ 3, @", "5 @ 3, @"),
        ("@\u00e9lan", "@\u200b\u00e9lan"),
        ("@\u200bann", "@\u200bann"),
    ],
)
def test_a_mention_is_made_harmless_and_stays_readable(text: str, shown: str) -> None:
    assert harmless(text) == shown


def test_the_playbook_may_mention_people_and_what_it_echoes_may_not() -> None:
    report = published("@channel fire", text="@ops look: ${{ alert.body }}", title="@ops ${{ alert.body }}")
    assert report.text == "@ops look: @\u200bchannel fire"
    assert report.title == "@ops @\u200bchannel fire"


def test_a_value_that_is_no_text_becomes_text() -> None:
    report = published(text="${{ 1.0 + 2.0 }}|${{ [1, 'a'] }}|${{ true }}", tags=("${{ 3 }}",))
    assert report.text == '3|[1,"a"]|true'
    assert report.tags[-1] == "3"


def test_long_texts_are_cut_with_a_visible_mark() -> None:
    report = published(
        "y" * 10_000, title="${{ alert.body }}", text="${{ alert.body }}", aggregation_key="k" * 300
    )
    assert (len(report.title), len(report.text)) == (TITLE_MAX, TEXT_MAX)
    assert report.title.endswith("…") and report.text.endswith("…")
    assert len(report.aggregation_key) == AGGREGATION_KEY_MAX


def test_a_title_or_text_that_comes_out_empty_is_filled() -> None:
    report = published("", title="${{ alert.body }} ", text="${{ alert.body }}")
    assert (report.title, report.text) == ("Playbook demo", "Playbook demo")


def test_tags_are_unique_bounded_and_ours_come_first() -> None:
    tags = ("a", " a ", "", "run:mine", *(f"t{n}" for n in range(200)))
    report = published(tags=tags)
    assert report.tags[:4] == ("source:pulsebook", "playbook:demo", f"run:{RUN_ID}", "a")
    assert len(report.tags) == TAGS_MAX


def test_events_of_one_run_belong_together() -> None:
    assert published().aggregation_key == RUN_ID


def test_the_report_of_a_failure_says_which_step_why_how_often_and_where_to_look() -> None:
    life = Life(
        a_playbook(a_step("restart")),
        alert=an_alert(title="latency @here", host="web-1"),
        run_url="https://here/runs/r-test",
        actor="ann",
    )
    for _ in range(2):
        life.fail("http_5xx", "503 says @all")
        life.fire("retry/")
    life.fail("http_5xx", "503 says @all")
    report = one(Reported, life.events)
    assert report.title == "Playbook demo failed at step restart"
    first, *rest = report.text.split("\n")
    assert first.startswith(f"Run {RUN_ID} of playbook demo failed after ")
    assert rest == [
        "Step: restart, 3 attempts",
        "Reason: http_5xx: 503 says @\u200ball; attempt 3 of 3 was the last",
        "Alert: latency @\u200bhere",
        "Started by: ann",
        "Link: https://here/runs/r-test",
    ]
    assert report.tags == ("source:pulsebook", "playbook:demo", f"run:{RUN_ID}", "status:failed")
    assert (report.alert_type, report.host, report.aggregation_key) == ("error", "web-1", RUN_ID)


def test_the_report_of_a_success_shows_the_outputs() -> None:
    life = Life(a_playbook(report=("succeeded",), outputs={"who": "${{ steps.pods.output }}"}))
    life.succeed("@bob")
    report = one(Reported, life.events)
    assert (report.title, report.alert_type) == ("Playbook demo succeeded", "success")
    assert 'Outputs: {"who":"@\u200bbob"}' in report.text


def test_the_report_of_a_cancel_says_who_and_why() -> None:
    life = Life(a_playbook(report=("cancelled",)))
    life.cancel("ann", "a drill @here")
    report = one(Reported, life.events)
    assert (report.title, report.alert_type) == ("Playbook demo was cancelled", "warning")
    assert "Reason: cancelled by ann: a drill @\u200bhere" in report.text


def test_the_report_of_a_timeout_names_it() -> None:
    life = Life(a_playbook(timeout_ms=10_000))
    life.fire("timeout")
    report = one(Reported, life.events)
    assert report.title == "Playbook demo failed"
    assert "Reason: timeout: the run's timeout has passed while step `pods` was under way" in report.text
