"""Every sample body, as it came from somebody, and what Pulsebook makes of it."""

from pathlib import Path
from typing import Any

import pytest

from engine.alert.normalising import Unparsable, is_recovery, normalise
from schemas.alerts import Alert

SAMPLES = Path(__file__).parent / "samples"
JSON, FORM = "application/json", "application/x-www-form-urlencoded; charset=utf-8"
CPU = {
    "title": "CPU is high & rising",
    "monitor_id": "12345",
    "tag_list": ("env:prod",),
    "transition": "Triggered",
}
MENDED = "not JSON as it came: quotes, backslashes or missing values were mended"

READABLE: list[tuple[str, str, dict[str, Any]]] = [
    (
        "recommended.json",
        JSON,
        {
            "title": "[Triggered on {service:checkout,env:prod}] Checkout p95 latency is high",
            "text": "p95 latency of checkout was above 2.0 s for 5 minutes.",
            "kind": "query_alert_monitor",
            "type": "error",
            "transition": "Triggered",
            "priority": "normal",
            "monitor_id": "12345",
            "monitor_name": "Checkout p95 latency is high",
            "cycle_key": "1050169743645189112",
            "aggregation_key": "b1946ac92492d2347c6235b4d2611184",
            "scope": "service:checkout,env:prod",
            "tag_list": ("monitor", "service:checkout", "env:prod", "team:payments"),
            "metric": "trace.http.request",
            "host": "",
            "link": "https://app.datadoghq.com/event/event?id=7351188205516327113",
            "at_ms": 1795316672000,
            "last_updated_ms": 1795316672000,
            "org_id": "4711",
            "event_id": "7351188205516327113",
            "test": False,
        },
    ),
    ("recovered.json", JSON, {"transition": "Recovered", "last_updated_ms": 1795316972000}),
    (
        "portions.json",
        JSON,
        {"title": "Disk is filling", "monitor_id": "99", "transition": "Warn", "kind": ""},
    ),
    ("flat.json", JSON, {"monitor_id": "99", "priority": "P2", "host": "db-1", "type": "error"}),
    (
        "default_payload.json",
        JSON,
        {"org_id": "4711", "kind": "query_alert_monitor", "last_updated_ms": 1795316672000},
    ),
    (
        "null_words.json",
        JSON,
        {"title": "CPU is high", "body": "", "monitor_id": "", "transition": "", "scope": "", "host": ""}
        | {"link": "", "tag_list": (), "priority": "", "cycle_key": "", "aggregation_key": "", "at_ms": 0},
    ),
    (
        "numbers.json",
        JSON,
        {"title": "404", "monitor_id": "12345", "org_id": "4711", "last_updated_ms": 1795316672000}
        | {"cycle_key": "1050169743645189112", "event_id": "7351188205516327113", "tag_list": ("5",)},
    ),
    ("logs_sample.json", JSON, {"monitor_id": "555", "kind": "log_alert"}),
    (
        "tags_odd.json",
        JSON,
        {
            "tag_list": (
                "monitor",
                "name:myService",
                "role:computing-node",
                "url:https://example.com:8443/a?b=c:d",
                "empty:",
                "env:prod",
                "env:staging",
                "env:prod",
            )
        },
    ),
    ("tags_list.json", JSON, {"tag_list": ("service:web", "a:1", "b:2", "7")}),
    ("tags_object.json", JSON, {"tag_list": ("service:web", "env:prod", "env:eu", "critical", "replicas:3")}),
    ("test_notification.json", JSON, {"test": True, "transition": "Triggered"}),
    ("test_after_priority.json", JSON, {"test": True}),
    ("contradiction.json", JSON, {"transition": "Triggered", "type": "success"}),
    ("warn_recovered.json", JSON, {"transition": "Warn Recovered"}),
    ("success_without_transition.json", JSON, {"transition": "", "type": "success"}),
    ("recovered_title_only.json", JSON, {"transition": "", "type": "", "body": "back to normal"}),
    ("group_attribute.json", JSON, {"scope": "@http.status_code:500,service:web"}),
    ("own_event.json", JSON, {"tag_list": ("source:pulsebook", "pulsebook_id:r-abc/7", "env:prod")}),
    ("form_payload.txt", FORM, CPU),
    ("form_payload.txt", "", CPU),
    ("form_pairs.txt", FORM, CPU | {"event_id": "5"}),
    ("form_metadata_text.txt", FORM, CPU),
    ("form_that_is_json.txt", FORM, CPU),
    ("form_key_is_json.txt", FORM, CPU),
    ("form_raw_json.txt", FORM, CPU),
    ("form_cut_character.txt", FORM, {"monitor_id": "12345", "body": "Temperatur in °C �"}),
    ("form_cut_escape.txt", FORM, {"title": "CPU is high", "body": "50%2"}),
    (
        "broken_quotes.txt",
        JSON,
        {"title": '[Triggered] Pod "web-1" restarts', "body": 'Pod "web-1" was OOMKilled'}
        | {"monitor_id": "12345", "tag_list": ("env:prod",), "transition": "Triggered"},
    ),
    ("broken_newlines.txt", JSON, {"body": "line one\nline two\tand a tab\x01", "monitor_id": "12345"}),
    (
        "broken_unquoted.txt",
        JSON,
        {"title": "Signal", "monitor_id": "12345", "priority": "", "org_id": "4711"},
    ),
    (
        "broken_backslash.txt",
        JSON,
        {"title": 'Disk C:\\data is "full"', "body": "see \\fs\new and \\u12 or A"},
    ),
    ("bom.json", JSON, CPU),
    ("utf16.txt", JSON, {"title": "Straße gesperrt", "monitor_id": "1"}),
    ("utf16_without_mark.txt", JSON, {"title": "Straße gesperrt", "monitor_id": "1"}),
    ("latin1.txt", JSON, {"title": "Café überlastet \u2013 5 €", "monitor_id": "1"}),
    ("latin1.txt", "application/json; charset=ISO-8859-1", {"title": "Café überlastet \u2013 5 €"}),
    ("half_character.txt", JSON, {"title": "Temperatur °C zu hoch �"}),
    ("lone_surrogate.json", JSON, {"title": "fire 🚀 and half �"}),
    ("duplicate_keys.json", JSON, {"title": "second", "monitor_id": "2"}),
    ("huge_numbers.json", JSON, {"monitor_id": "123456789012345678901234567890", "at_ms": 0}),
    ("list_of_one.json", JSON, CPU),
    ("text_in_text.json", JSON, CPU),
    ("deep_enough.json", JSON, {"title": "nested"}),
    ("seconds.json", JSON, {"at_ms": 1795316672000, "last_updated_ms": 1795316672500}),
    (
        "producer.json",
        JSON,
        {"title": "Queue is long", "monitor_id": "8", "scope": "service:orders", "cycle_key": "c-1"}
        | {"host": "mq-1", "link": "https://grafana.example.com/d/1", "priority": "P1"},
    ),
    ("security_signal.json", JSON, {"kind": "security_signal", "event_id": "AAA"}),
    ("typo_in_template.json", JSON, {"title": "Host is down", "monitor_id": "", "tag_list": ("env:prod",)}),
]

UNREADABLE = [
    ("unfilled.json", "nothing in it: every value is absent or an unfilled variable such as $EVENT_TITLE"),
    (
        "broken_ambiguous.txt",
        "at line 1, column 44; not mended: a quote that may be text or end a value at line 1",
    ),
    ("broken_twice.txt", "not mended: a key for the second time at line 1, column 30"),
    (
        "cut_short.txt",
        "Unterminated string starting at line 1, column 675; not mended: a value that does not end",
    ),
    ("list_of_two.json", "a list of 2 values, not an object"),
    ("deep.txt", "nested deeper than 50 levels"),
    ("xml.txt", "neither JSON nor a form: it begins with '<'"),
    ("garbage.txt", "neither JSON nor a form"),
    ("empty.txt", "the body is empty"),
    ("word.txt", "a single number, not an object"),
]

RECOVERIES = {
    "recovered.json": True,
    "warn_recovered.json": True,
    "success_without_transition.json": True,
    "recovered_title_only.json": True,
    "recommended.json": False,
    "contradiction.json": False,
    "portions.json": False,
}


@pytest.mark.parametrize(("name", "content_type", "fields"), READABLE)
def test_a_readable_sample_has_these_fields(name: str, content_type: str, fields: dict[str, Any]) -> None:
    alert = normalise((SAMPLES / name).read_bytes(), content_type)

    assert isinstance(alert, Alert), alert
    assert {field: getattr(alert, field) for field in fields} == fields


@pytest.mark.parametrize(("name", "problem"), UNREADABLE)
@pytest.mark.parametrize("content_type", [JSON, ""])
def test_an_unreadable_sample_says_what_is_wrong_and_where(
    name: str, problem: str, content_type: str
) -> None:
    answer = normalise((SAMPLES / name).read_bytes(), content_type)

    assert isinstance(answer, Unparsable)
    assert problem in answer.problem


def test_no_sample_lies_about_without_being_tried() -> None:
    tried = {name for name, *_ in READABLE} | {name for name, _ in UNREADABLE}

    assert {path.name for path in SAMPLES.iterdir()} == tried


@pytest.mark.parametrize(("name", "recovery"), RECOVERIES.items())
def test_the_transition_says_whether_an_alert_is_a_recovery_then_type_then_title(
    name: str, recovery: bool
) -> None:
    alert = normalise((SAMPLES / name).read_bytes(), JSON)

    assert isinstance(alert, Alert)
    assert is_recovery(alert) is recovery


@pytest.mark.parametrize("name", ["broken_quotes.txt", "broken_unquoted.txt", "broken_backslash.txt"])
def test_a_mended_alert_says_so_in_its_metadata(name: str) -> None:
    alert = normalise((SAMPLES / name).read_bytes(), JSON)

    assert isinstance(alert, Alert)
    assert alert.metadata["_mended"] == MENDED
