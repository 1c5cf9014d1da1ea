"""POST /hooks/{endpoint}/{token}: when it answers what."""

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator

import pytest

from schemas.alerts import AlertReceived
from schemas.ids import alert_id_for_body
from schemas.topics import ALERTS
from tests.console.conftest import TOKEN, MakeWeb, Web

HOOK = f"/hooks/demo/{TOKEN}"
PAYLOAD = {
    "title": "p95 is high",
    "body": "look",
    "id": "42",
    "date": "1406662672000",
    "metadata": {"ALERT_CYCLE_KEY": "cycle-7", "ALERT_TRANSITION": "Triggered", "TAGS": "env:prod, monitor"},
}


def only_alert(web: Web) -> AlertReceived:
    """The one alert on the topic."""
    (record,) = web.log.records(ALERTS)
    assert isinstance(record, AlertReceived)
    return record


async def test_an_alert_is_answered_with_202_and_its_id_and_lies_on_the_topic_under_its_alert_key(
    web: Web,
) -> None:
    answer = await web.client.post(HOOK, json=PAYLOAD)

    assert answer.status_code == 202
    record = only_alert(web)
    assert answer.json() == {"alert_id": record.alert_id, "parsed": True}
    assert record.endpoint == "demo"
    assert record.raw == answer.request.content
    assert record.alert is not None
    assert (record.alert.id, record.alert.endpoint) == (record.alert_id, "demo")
    assert record.alert.title == "p95 is high"
    assert web.log.keys(ALERTS) == [b"cycle-7"]


async def test_a_redelivery_of_a_body_with_an_event_id_gets_the_same_alert_id(web: Web) -> None:
    first = await web.client.post(HOOK, json=PAYLOAD)
    second = await web.client.post(HOOK, json=PAYLOAD)

    assert first.json() == second.json()
    assert first.json()["alert_id"] == alert_id_for_body("demo", first.request.content)


async def test_two_bodies_of_one_event_id_are_two_alerts(web: Web) -> None:
    first = await web.client.post(HOOK, json=PAYLOAD)
    second = await web.client.post(HOOK, json={**PAYLOAD, "title": "another incident"})

    assert first.json()["alert_id"] != second.json()["alert_id"]


async def test_a_body_without_an_event_id_gets_a_new_id_each_time(web: Web) -> None:
    body = {"title": "no id here"}
    first = (await web.client.post(HOOK, json=body)).json()["alert_id"]
    second = (await web.client.post(HOOK, json=body)).json()["alert_id"]

    assert first != second
    assert len(first) == len(alert_id_for_body("demo", b""))


@pytest.mark.parametrize("body", [b"\x00\xff\xfe garbage", b"", b"[1, 2]", b"not json at all"])
async def test_what_cannot_be_parsed_is_kept_raw_and_still_answered_with_202(web: Web, body: bytes) -> None:
    answer = await web.client.post(HOOK, content=body)

    assert answer.status_code == 202
    assert answer.json()["parsed"] is False
    record = only_alert(web)
    assert (record.raw, record.alert) == (body, None)
    assert record.problem
    assert web.log.keys(ALERTS) == [record.alert_id.encode()]


async def test_a_form_is_understood(web: Web) -> None:
    answer = await web.client.post(HOOK, data={"payload": json.dumps(PAYLOAD)})

    assert answer.status_code == 202
    assert only_alert(web).content_type == "application/x-www-form-urlencoded"


@pytest.mark.parametrize("path", ["/hooks/demo", "/hooks/demo/-", "/hooks/demo/"])
@pytest.mark.parametrize("header", [("X-Pulsebook-Token", TOKEN), ("Authorization", f"Bearer {TOKEN}")])
async def test_the_token_may_be_in_a_header(web: Web, path: str, header: tuple[str, str]) -> None:
    answer = await web.client.post(path, json=PAYLOAD, headers=dict([header]))

    assert answer.status_code == 202


@pytest.mark.parametrize(
    "path",
    [
        "/hooks/nobody/demo-token",
        "/hooks/demo/wrong",
        "/hooks/demo",
        "/hooks/demo/wrong/playbook",
        "/hooks/demo/demo-token/book/more",
        "/hooks/",
        "/hooks//demo-token",
        "/hooks/demo/%00",
        "/hooks/%ff/%ff",
    ],
)
async def test_an_unknown_endpoint_and_an_unknown_token_get_the_same_answer(web: Web, path: str) -> None:
    answer = await web.client.post(path, json=PAYLOAD)

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {"status": 404, "title": "Not found", "detail": "unknown endpoint or token"}
    assert not web.log.records(ALERTS)


async def test_a_deleted_endpoint_is_unknown(web: Web) -> None:
    await web.endpoint("demo", TOKEN, deleted=True)

    assert (await web.client.post(HOOK, json=PAYLOAD)).status_code == 404


async def test_a_rotated_token_is_accepted_until_its_grace_is_over(web: Web) -> None:
    from tests.console.conftest import sha256

    now_ms = time.time_ns() // 1_000_000
    await web.endpoint("demo", "new", old_token_sha256=sha256(TOKEN), old_valid_until_ms=now_ms + 60_000)
    assert (await web.client.post(HOOK, json=PAYLOAD)).status_code == 202
    assert (await web.client.post("/hooks/demo/new", json=PAYLOAD)).status_code == 202

    await web.endpoint("demo", "new", old_token_sha256=sha256(TOKEN), old_valid_until_ms=now_ms - 1)
    assert (await web.client.post(HOOK, json=PAYLOAD)).status_code == 404


async def test_until_the_catalog_has_been_read_nobody_is_unknown(web: Web) -> None:
    web.catalog.ready = False

    for path in (HOOK, "/hooks/nobody/wrong"):
        answer = await web.client.post(path, json=PAYLOAD)
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) > 0


async def test_a_body_of_256_kib_is_taken_and_one_byte_more_is_413(web: Web) -> None:
    fits = b'{"title": "' + b"x" * (256 * 1024 - 13) + b'"}'
    assert len(fits) == 256 * 1024

    assert (await web.client.post(HOOK, content=fits)).status_code == 202
    answer = await web.client.post(HOOK, content=fits + b" ")
    assert answer.status_code == 413
    assert answer.json()["status"] == 413
    assert len(web.log.records(ALERTS)) == 1


async def test_a_body_that_does_not_say_its_length_is_not_read_beyond_the_limit(web: Web) -> None:
    taken = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal taken
        while taken < 100:
            taken += 1
            yield b"x" * 64 * 1024

    answer = await web.client.post(HOOK, content=endless())

    assert answer.status_code == 413
    assert not web.log.records(ALERTS)


async def test_a_normalised_form_that_makes_the_record_too_large_is_left_out(make_web: MakeWeb) -> None:
    web = await make_web(record_bytes_max=300 * 1024)
    await web.endpoint("demo", TOKEN)
    body = {"metadata": {"ALERT_TITLE": "x" * 120_000, "EVENT_MSG": "y" * 60_000, "ID": "1"}}

    answer = await web.client.post(HOOK, json=body)

    assert answer.json()["parsed"] is False
    assert "too large" in only_alert(web).problem


async def test_a_writer_that_fails_means_503_and_come_again(web: Web) -> None:
    web.log.broken = True

    answer = await web.client.post(HOOK, json=PAYLOAD)

    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert int(answer.headers["retry-after"]) > 0
    assert "no broker" not in answer.text


async def test_a_broker_that_does_not_acknowledge_in_time_means_503(make_web: MakeWeb) -> None:
    web = await make_web(durable_within_s=0.2)
    await web.endpoint("demo", TOKEN)
    web.log.stuck = True

    began = time.monotonic()
    answer = await web.client.post(HOOK, json=PAYLOAD)

    assert answer.status_code == 503
    assert time.monotonic() - began < 2


async def test_a_body_that_dribbles_in_is_given_up_in_time(make_web: MakeWeb) -> None:
    web = await make_web(durable_within_s=0.3)
    await web.endpoint("demo", TOKEN)

    async def dribble() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b"x"
            await asyncio.sleep(0.05)

    began = time.monotonic()
    answer = await web.client.post(HOOK, content=dribble())

    assert answer.status_code == 503
    assert time.monotonic() - began < 2


async def test_bodies_that_wait_for_the_broker_are_bounded_all_together(make_web: MakeWeb) -> None:
    web = await make_web(durable_within_s=0.5, in_flight_bytes_max=250_000)
    await web.endpoint("demo", TOKEN)
    web.log.stuck = True
    body = json.dumps({"title": "x" * 100_000})

    answers = await asyncio.gather(*(web.client.post(HOOK, content=body) for _ in range(5)))

    assert all(answer.status_code == 503 for answer in answers)
    turned_away = [answer for answer in answers if "too many" in answer.json()["detail"]]
    assert len(turned_away) == 3
    web.log.stuck = False
    assert (await web.client.post(HOOK, content=body)).status_code == 202


async def test_another_method_than_post_is_405(web: Web) -> None:
    answer = await web.client.get(HOOK)

    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_console_takes_no_hooks_and_a_taker_of_hooks_is_no_console(make_web: MakeWeb) -> None:
    console, hooks = await make_web(only="console"), await make_web(only="hooks")
    for web in (console, hooks):
        await web.endpoint("demo", TOKEN)

    assert (await console.client.post(HOOK, json=PAYLOAD)).status_code == 404
    assert (await console.client.get("/api/v1/overview")).status_code == 200
    assert (await hooks.client.post(HOOK, json=PAYLOAD)).status_code == 202
    assert (await hooks.client.get("/api/v1/overview")).status_code == 404
    assert (await hooks.client.get("/healthz")).status_code == 200


async def test_no_log_line_holds_a_token(web: Web, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    web.log.broken = True
    for path in (
        HOOK,
        f"{HOOK}/book",
        "/hooks/demo/wrong-secret",
        "/hooks//demo/wrong-secret",
        "/hooks%2Fdemo%2Fwrong-secret",
    ):
        await web.client.post(path, json=PAYLOAD)
        await web.client.get(path)

    ours = [record.getMessage() for record in caplog.records if not record.name.startswith("httpx")]
    assert any("/hooks/demo/***" in line for line in ours)
    assert not any(TOKEN in line or "wrong-secret" in line for line in ours)
