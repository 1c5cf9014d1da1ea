"""/api/v1/alerts: lists, single alerts, and the trace of one."""

from schemas.topics import ALERTS, DECISIONS, PUBLICATIONS, RUN_JOURNAL
from tests.console.conftest import TOKEN, Web
from tests.console.samples import ALERT, PUBLISHED, RUN, WHOLE_RUN, decided, matched, with_fields


async def test_a_trace_tells_the_whole_path_of_an_alert(web: Web) -> None:
    held = decided("queued", 5, rule="max_running", reason="20 are running", until_ms=7)
    await web.log.write(DECISIONS, ALERT, matched(), held, decided("started", 9))
    await web.log.write(RUN_JOURNAL, RUN, *WHOLE_RUN)
    await web.log.write(PUBLICATIONS, RUN, PUBLISHED)
    await web.read()

    trace = (await web.client.get(f"/api/v1/alerts/{ALERT}/trace")).json()

    alert = trace["alert"]
    assert (alert["alert_id"], alert["endpoint"], alert["received_at_ms"]) == (ALERT, "demo", 800)
    assert (alert["partition"], alert["offset"], alert["catalog_offset"]) == (2, 7, 4)
    restart, page = trace["playbooks"]
    assert restart["matched"] is True
    assert [(each["decision"], each["rule"], each["until_ms"]) for each in restart["decisions"]] == [
        ("queued", "max_running", 7),
        ("started", "", None),
    ]
    (run,) = restart["runs"]
    assert (run["run_id"], run["status"]) == (RUN, "succeeded")
    assert [(step["step"], step["status"], step["took_ms"]) for step in run["steps"]] == [
        ("look", "succeeded", 250)
    ]
    assert (page["matched"], page["clause"]) == (False, "tags")
    assert page["detail"] == "wanted env:prod, the alert has env:dev"
    assert (page["decisions"], page["runs"]) == ([], [])
    assert [each["sent"]["title"] for each in trace["publications"]] == ["mitigated"]


async def test_an_alert_that_nothing_matched_leaves_a_trace(web: Web) -> None:
    await web.written(DECISIONS, ALERT, matched(looked=(), ruled_out=12))

    trace = (await web.client.get(f"/api/v1/alerts/{ALERT}/trace")).json()

    assert (trace["playbooks"], trace["publications"]) == ([], [])
    assert trace["alert"]["ruled_out"] == 12


async def test_a_candidate_that_was_held_back_has_no_run_in_the_trace(web: Web) -> None:
    held = decided("held_back", rule="while_running", reason="r-x is running for this key")
    await web.written(DECISIONS, ALERT, matched(), held)

    restart = (await web.client.get(f"/api/v1/alerts/{ALERT}/trace")).json()["playbooks"][0]

    assert restart["runs"] == []
    assert restart["decisions"][0]["reason"] == "r-x is running for this key"


async def test_a_playbook_called_with_the_alert_stands_in_its_trace_without_having_matched(web: Web) -> None:
    called = decided("started", request_id="q-1", playbook="cleanup", run_id="r-9")
    await web.written(DECISIONS, "q-1", called)
    await web.written(DECISIONS, ALERT, matched())

    trace = (await web.client.get(f"/api/v1/alerts/{ALERT}/trace")).json()

    cleanup = trace["playbooks"][-1]
    assert (cleanup["playbook"], cleanup["matched"]) == ("cleanup", False)
    assert cleanup["decisions"][0]["run_id"] == "r-9"


async def test_of_two_decisions_about_one_alert_the_first_holds(web: Web) -> None:
    again = matched(looked=(), offset=8)
    await web.written(DECISIONS, ALERT, matched(), again)

    trace = (await web.client.get(f"/api/v1/alerts/{ALERT}/trace")).json()

    assert len(trace["playbooks"]) == 2
    assert trace["alert"]["offset"] == 7


async def test_alerts_are_listed_the_latest_first_with_what_they_matched(web: Web) -> None:
    late = with_fields(matched().summary, received_at_ms=900, endpoint="other")
    await web.written(DECISIONS, ALERT, matched())
    await web.written(DECISIONS, "a-2", matched("a-2", summary=late, looked=(), unparsable="no JSON"))

    items = (await web.client.get("/api/v1/alerts")).json()["items"]
    demo = (await web.client.get("/api/v1/alerts", params={"endpoint": "demo"})).json()["items"]

    assert [each["alert_id"] for each in items] == ["a-2", ALERT]
    assert [each["matched"] for each in items] == [[], ["restart"]]
    assert items[0]["unparsable"] == "no JSON"
    assert [each["alert_id"] for each in demo] == [ALERT]


async def test_an_alert_is_shown_as_it_came_and_as_it_was_understood(web: Web) -> None:
    sent = await web.client.post(f"/hooks/demo/{TOKEN}", json={"title": "hot", "id": "1"})
    alert_id = sent.json()["alert_id"]
    place = next(each for key, held in web.log.messages.items() if key[0] == ALERTS.name for each in held)
    await web.written(DECISIONS, alert_id, matched(alert_id, partition=place.partition, offset=place.offset))

    alert = (await web.client.get(f"/api/v1/alerts/{alert_id}")).json()

    assert alert["raw"] == sent.request.content.decode()
    assert alert["alert"]["title"] == "hot"
    assert alert["content_type"] == "application/json"


async def test_an_alert_whose_body_is_no_longer_kept_is_shown_without_it(web: Web) -> None:
    await web.written(DECISIONS, ALERT, matched())

    alert = (await web.client.get(f"/api/v1/alerts/{ALERT}")).json()

    assert (alert["title"], alert["raw"], alert["alert"]) == ("p95 is high", "", None)


async def test_an_alert_nobody_has_decided_about_is_404_and_says_what_may_be(web: Web) -> None:
    for path in ("", "/trace"):
        answer = await web.client.get(f"/api/v1/alerts/a-nobody{path}")
        assert answer.status_code == 404
        assert "a-nobody" in answer.json()["detail"]


async def test_an_alert_can_be_sent_through_the_api_without_the_endpoints_token(web: Web) -> None:
    answer = await web.client.post("/api/v1/endpoints/demo/alerts", json={"title": "hot"})

    assert answer.status_code == 202
    assert answer.json()["parsed"] is True
    assert len(web.log.records(ALERTS)) == 1
    assert (await web.client.post("/api/v1/endpoints/nobody/alerts", json={})).status_code == 404


async def test_alerts_are_found_by_when_they_came_what_they_say_and_what_they_matched(web: Web) -> None:
    summary = matched().summary
    for at, (title, scope, monitor) in enumerate(
        [("Disk full", "host:a", "1"), ("CPU high", "host:b", "2"), ("DISK slow", "host:disk", "31")], start=1
    ):
        about = with_fields(
            summary, title=title, scope=scope, monitor_id=monitor, received_at_ms=1_000 * at, endpoint="e"
        )
        looked = matched().looked if at == 2 else ()
        await web.written(DECISIONS, f"a-{at}", matched(f"a-{at}", summary=about, looked=looked))

    async def found(**query: str) -> list[str]:
        answer = await web.client.get("/api/v1/alerts", params=query)
        assert answer.status_code == 200, answer.text
        return [each["alert_id"] for each in answer.json()["items"]]

    assert await found(since="1000", until="3000") == ["a-2", "a-1"]
    assert await found(until="1970-01-01T00:00:02Z") == ["a-1"]
    assert await found(text="disk") == ["a-3", "a-1"]
    assert await found(text="host:B") == ["a-2"]
    assert await found(text="31") == ["a-3"]
    assert await found(playbook="restart") == ["a-2"]
    assert await found(playbook="rest") == []
    assert await found(playbook="page") == []
    assert (await web.client.get("/api/v1/alerts", params={"until": "tuesday"})).status_code == 400
