"""/api/v1/runs: what a run looks like, how it is started and cancelled."""

from typing import Any

import pytest

from engine.playbook.canonical import canonical_json, digest
from engine.playbook.reading import read
from schemas.admissions import Candidate
from schemas.catalog import PlaybookSet, RevisionAdded
from schemas.events import StepFailed, StepSkipped, VarsSet
from schemas.ids import run_id
from schemas.topics import ADMISSIONS, ALERTS, DECISIONS, PUBLICATIONS, RUN_JOURNAL
from tests.console.conftest import LOG_ACTION, TOKEN, Web
from tests.console.samples import (
    ALERT,
    PUBLISHED,
    RUN,
    STARTED,
    WHOLE_RUN,
    decided,
    journal,
    matched,
    with_fields,
)

CALLABLE = """
playbook: restart
on:
  call: {endpoints: [demo]}
inputs:
  replicas: {type: int, default: 3, minimum: 1}
steps:
  - {id: note, action: log, with: {text: "${{ inputs.replicas }}"}}
"""


async def apply(web: Web, source: str = CALLABLE, *, enabled: bool = True) -> str:
    """Make a playbook active; its digest."""
    playbook = read(source, "p.yaml", {"log": LOG_ACTION}).playbook
    assert playbook is not None
    made = digest(playbook)
    by: Any = {"actor": "test", "at_ms": 1}
    canonical = canonical_json(playbook)
    await web.change(
        f"revision/{made}",
        RevisionAdded(digest=made, playbook=playbook.name, canonical=canonical, source=source, **by),
    )
    await web.change(
        f"playbook/{playbook.name}", PlaybookSet(name=playbook.name, digest=made, enabled=enabled, **by)
    )
    return made


def candidates(web: Web) -> list[Candidate]:
    """What was handed to admission."""
    return [record for record in web.log.records(ADMISSIONS) if isinstance(record, Candidate)]


async def test_a_run_is_shown_with_all_that_its_journal_tells(web: Web) -> None:
    await web.written(RUN_JOURNAL, RUN, *WHOLE_RUN)
    await web.written(PUBLICATIONS, RUN, PUBLISHED)
    await web.written(DECISIONS, ALERT, decided("started"))

    run = (await web.client.get(f"/api/v1/runs/{RUN}")).json()

    assert (run["status"], run["playbook"], run["alert_id"]) == ("succeeded", "restart", ALERT)
    assert (run["started_at_ms"], run["ended_at_ms"], run["duration_ms"]) == (1_000, 2_000, 1_000)
    assert run["inputs"] == {"replicas": 3}
    assert run["outputs"] == {"p95": 4.2}
    (step,) = run["steps"]
    assert (step["step"], step["status"], step["attempts"], step["duration_ms"]) == (
        "look",
        "succeeded",
        1,
        250,
    )
    assert step["output"] == {"status": 200}
    (report,) = run["reports"]
    assert (report["title"], report["event_id"]) == ("mitigated", "777")
    assert run["publications"][0]["event_id"] == "777"
    assert run["decisions"][0]["decision"] == "started"


async def test_a_runs_journal_is_told_record_by_record(web: Web) -> None:
    await web.written(RUN_JOURNAL, RUN, *WHOLE_RUN)

    first = (await web.client.get(f"/api/v1/runs/{RUN}/events", params={"limit": 1})).json()
    second = (
        await web.client.get(f"/api/v1/runs/{RUN}/events", params={"after_seq": first["next_seq"]})
    ).json()

    assert [event["type"] for event in first["items"][0]["events"]] == ["RunStarted", "StepRequested"]
    assert first["items"][0]["cause"] == "run-inbox/0/1"
    assert [record["seq"] for record in second["items"]] == [2]
    assert second["next_seq"] is None


async def test_lists_go_back_in_time_page_by_page_without_gap_or_repeat(web: Web) -> None:
    for number in range(7):
        same_time = 1_000 * (number // 2)
        name = f"r-{number}"
        await web.log.write(RUN_JOURNAL, name, journal(1, STARTED, run_id=name, at_ms=same_time))
    await web.read()

    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = (await web.client.get("/api/v1/runs", params={"limit": 2, "cursor": cursor})).json()
        seen += [run["run_id"] for run in page["items"]]
        cursor = page["next"]
        assert len(page["items"]) <= 2

    assert seen == ["r-6", "r-5", "r-4", "r-3", "r-2", "r-1", "r-0"]


async def test_lists_are_filtered(web: Web) -> None:
    await web.log.write(RUN_JOURNAL, RUN, *WHOLE_RUN)
    await web.log.write(
        RUN_JOURNAL, "r-2", journal(1, STARTED, run_id="r-2", playbook="page", at_ms=9_000_000_000_000)
    )
    await web.log.write(
        DECISIONS, "a-9", decided("held_back", run_id="r-3", request_id="a-9", alert_id="a-9")
    )
    await web.read()

    async def ids(**filters: str) -> set[str]:
        answer = await web.client.get("/api/v1/runs", params=filters)
        return {run["run_id"] for run in answer.json()["items"]}

    assert await ids() == {RUN, "r-2"}
    assert await ids(status="succeeded") == {RUN}
    assert await ids(status="held_back") == {"r-3"}
    assert await ids(playbook="restart") == {RUN, "r-2"}
    assert await ids(since="1h") == {"r-2"}
    assert await ids(since="1970-01-01T00:00:00Z") == {RUN, "r-2"}
    assert await ids(until="1h") == {RUN}
    assert await ids(since="1970-01-01T00:00:00Z", until="1h") == {RUN}
    assert await ids(alert_id="a-9", status="held_back") == {"r-3"}


@pytest.mark.parametrize(
    "query", [{"status": "odd"}, {"limit": "0"}, {"limit": "201"}, {"cursor": "%%"}, {"since": "soon"}]
)
async def test_a_list_that_is_asked_for_wrongly_says_what_is_wrong(web: Web, query: dict[str, str]) -> None:
    answer = await web.client.get("/api/v1/runs", params=query)

    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"]


async def test_a_cursor_of_another_list_is_refused(web: Web) -> None:
    from console.paging import encode_cursor

    answer = await web.client.get("/api/v1/runs", params={"cursor": encode_cursor([1, 2, 3])})

    assert (answer.status_code, answer.json()["detail"]) == (400, "the cursor belongs to another list")


async def test_an_unknown_run_is_404(web: Web) -> None:
    for path in ("", "/events"):
        assert (await web.client.get(f"/api/v1/runs/r-nobody{path}")).status_code == 404


async def test_a_start_is_a_candidate_for_admission_keyed_by_the_playbook(web: Web) -> None:
    revision = await apply(web)

    answer = await web.client.post("/api/v1/runs", json={"playbook": "restart", "inputs": {"replicas": 5}})

    assert answer.status_code == 202
    (made,) = candidates(web)
    assert answer.json() == {"run_id": made.run_id}
    assert made.run_id == run_id("restart", made.request_id)
    assert (made.revision, made.catalog_offset) == (revision, web.catalog.catalog.offset)
    assert (made.via, made.actor, made.inputs, made.alert) == ("api", "local", {"replicas": 5}, None)
    assert web.log.keys(ADMISSIONS) == [b"restart"]


async def test_a_repeated_start_with_one_idempotency_key_is_one_run(web: Web) -> None:
    await apply(web)

    async def start(key: str) -> str:
        answer = await web.client.post(
            "/api/v1/runs", json={"playbook": "restart"}, headers={"Idempotency-Key": key}
        )
        return str(answer.json()["run_id"])

    assert await start("k1") == await start("k1")
    assert await start("k1") != await start("k2")


async def test_a_start_may_be_given_a_recorded_alert(web: Web) -> None:
    await apply(web)
    sent = (await web.client.post(f"/hooks/demo/{TOKEN}", json={"title": "hot", "id": "1"})).json()[
        "alert_id"
    ]
    place = next(each for key, held in web.log.messages.items() if key[0] == ALERTS.name for each in held)
    await web.written(DECISIONS, sent, matched(sent, partition=place.partition, offset=place.offset))

    answer = await web.client.post("/api/v1/runs", json={"playbook": "restart", "alert_id": sent})

    assert answer.status_code == 202
    (made,) = candidates(web)
    assert made.alert is not None
    assert (made.alert.id, made.alert.title) == (sent, "hot")


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        ({"playbook": "nobody"}, 404, "there is no playbook nobody"),
        ({"playbook": "restart", "inputs": {"replica": 1}}, 422, "did you mean `replicas`?"),
        ({"playbook": "restart", "inputs": {"replicas": 0}}, 422, "minimum"),
        ({"playbook": "restart", "inputs": {"replicas": "many"}}, 422, "whole number"),
        ({"playbook": "restart", "alert_id": "a-nobody"}, 404, "no alert a-nobody"),
        ({"playbook": "restart", "alert": {"nothing": ""}}, 422, "cannot be read"),
        ({"playbook": "restart", "odd": 1}, 400, "odd"),
        ({"inputs": {}}, 400, "playbook"),
        ("text", 400, ""),
    ],
)
async def test_a_start_that_cannot_be_is_refused_with_the_reason(
    web: Web, body: Any, status: int, says: str
) -> None:
    await apply(web)

    answer = await web.client.post("/api/v1/runs", json=body)

    assert (answer.status_code, answer.json()["status"]) == (status, status)
    assert says in answer.json()["detail"]
    assert not candidates(web)


async def test_a_playbook_that_is_disabled_or_not_callable_is_not_started(web: Web) -> None:
    await apply(web, enabled=False)
    disabled = await web.client.post("/api/v1/runs", json={"playbook": "restart"})
    await apply(web, CALLABLE.replace("call: {endpoints: [demo]}", "alert: {endpoint: demo}"))
    uncallable = await web.client.post("/api/v1/runs", json={"playbook": "restart"})

    assert (disabled.status_code, uncallable.status_code) == (409, 409)
    assert "disabled" in disabled.json()["detail"]
    assert "on.call" in uncallable.json()["detail"]


async def test_a_start_that_is_not_durable_is_503(web: Web) -> None:
    await apply(web)
    web.log.broken = True

    answer = await web.client.post("/api/v1/runs", json={"playbook": "restart"})

    assert answer.status_code == 503
    assert answer.headers["retry-after"]


async def test_an_alert_of_a_kafka_producer_can_be_fetched_too(web: Web) -> None:
    place = await web.log.append(ALERTS, b"k", b'{"title": "from kafka"}')
    await web.written(DECISIONS, ALERT, matched(partition=place.partition, offset=place.offset))

    alert = (await web.client.get(f"/api/v1/alerts/{ALERT}")).json()

    assert alert["alert"]["title"] == "from kafka"
    assert alert["raw"] == '{"title": "from kafka"}'


async def test_a_step_that_was_skipped_or_failed_before_its_request_shows_its_action(web: Web) -> None:
    two = CALLABLE + "  - {id: other, action: log, if: 'false'}\n  - set: {a: 1}\n"
    started = with_fields(STARTED, revision=await apply(web, two))
    failed = StepFailed(step="note", attempt=0, kind="bad_input", message="no replicas", status="failed")
    others = (StepSkipped(step="other", reason="if"), VarsSet(step="3", values={"a": 1}))
    await web.written(RUN_JOURNAL, RUN, journal(1, started, failed, *others))

    steps = (await web.client.get(f"/api/v1/runs/{RUN}")).json()["steps"]

    assert [(step["step"], step["action"]) for step in steps] == [
        ("note", "log"),
        ("other", "log"),
        ("3", ""),
    ]
