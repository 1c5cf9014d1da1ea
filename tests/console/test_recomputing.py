"""`trace?all=true`: why the playbooks that nobody looked at did not match."""

from collections.abc import Mapping
from typing import Any

import pytest

from engine.matching import LOOKED_MAX, alert_of, matched_records
from engine.playbook.canonical import canonical_json
from engine.playbook.model import ActionStep, AlertTrigger, Playbook
from schemas import codec
from schemas.alerts import Alert, AlertReceived
from schemas.catalog import PlaybookSet, RevisionAdded
from schemas.decisions import AlertMatched
from schemas.ids import digest
from schemas.outgoing import Cause
from schemas.topics import ALERTS, DECISIONS, RUN_JOURNAL
from tests.console.conftest import Web
from tests.console.samples import RUN, STARTED, journal, matched, with_fields

STEPS = (ActionStep(path="say", action="log"),)
MANY = LOOKED_MAX + 50


def changes(name: str, *, enabled: bool = True, **trigger: Any) -> tuple[RevisionAdded, PlaybookSet]:
    """The changes of the catalog by which a playbook becomes active."""
    book = Playbook(name=name, alerts=(AlertTrigger(**trigger),), steps=STEPS)
    text = canonical_json(book)
    added = RevisionAdded(actor="a", at_ms=1, digest=digest(text), playbook=name, canonical=text, source="")
    return added, PlaybookSet(actor="a", at_ms=1, name=name, digest=digest(text), enabled=enabled)


async def apply(web: Web, name: str, **fields: Any) -> None:
    for change in changes(name, **fields):
        await web.change(f"playbook/{name}", change)


async def many(web: Web) -> None:
    for at in range(MANY):
        await apply(web, f"far-{at:03}", monitor=(str(at),), kind=("other",))


async def sent(web: Web, received: AlertReceived) -> AlertMatched:
    """The alert on its topic, and what match would have recorded of it."""
    at = await web.log.append(ALERTS, b"k", codec.encode(received))
    (record, *_) = matched_records(
        received, Cause("alerts", at.partition, at.offset, 900), web.catalog.catalog
    )
    assert isinstance(record.record, AlertMatched)
    await web.written(DECISIONS, received.alert_id, record.record)
    return record.record


def an_alert(**fields: Any) -> AlertReceived:
    alert = Alert(**{"id": "a-1", "endpoint": "demo", "title": "hot", "kind": "metric", **fields})
    return AlertReceived(alert_id="a-1", endpoint="demo", received_at_ms=800, raw=b"{}", alert=alert)


async def recomputed(web: Web, alert_id: str = "a-1", **query: Any) -> dict[str, Any]:
    answer = await web.client.get(f"/api/v1/alerts/{alert_id}/trace", params={"all": "true", **query})
    assert answer.status_code == 200, answer.text
    return answer.json()["recomputed"]  # type: ignore[no-any-return]  # an object


async def test_every_playbook_that_was_ruled_out_is_told_with_its_clause_page_by_page(web: Web) -> None:
    await many(web)
    decision = await sent(web, an_alert())
    assert decision.ruled_out == MANY

    found: list[Mapping[str, Any]] = []
    cursor = ""
    while True:
        page = await recomputed(web, limit=60, cursor=cursor)
        found += page["items"]
        assert (page["total"], page["problem"]) == (MANY, "")
        if not (cursor := page["next"] or ""):
            break

    assert [each["playbook"] for each in found] == [f"far-{at:03}" for at in range(MANY)]
    assert {(each["clause"], each["matched"], each["recomputed"]) for each in found} == {
        ("kind", False, True)
    }
    assert found[7]["detail"] == "wanted kind other, alert has metric"


async def test_nothing_is_recomputed_unless_it_is_asked_for(web: Web) -> None:
    await sent(web, an_alert())
    assert (await web.client.get("/api/v1/alerts/a-1/trace")).json()["recomputed"] is None


async def test_it_is_the_catalog_of_then_that_counts(web: Web) -> None:
    await many(web)
    await apply(web, "later", kind=("other",), enabled=False)
    decision = await sent(web, an_alert())
    await apply(web, "later", monitor=("x",))
    await apply(web, "new", monitor=("x",))

    page = await recomputed(web, limit=200)

    assert len(page["items"]) == decision.ruled_out == MANY + 1
    assert page["items"][-1]["playbook"] == "later"
    assert page["items"][-1]["clause"] == "disabled"


async def test_a_producers_json_is_asked_under_the_endpoint_that_its_header_named(web: Web) -> None:
    await many(web)
    await apply(web, "prod-only", endpoint=("prod",), kind=("other",))
    at = await web.log.append(ALERTS, None, b'{"title": "from a producer"}')
    summary = with_fields(matched().summary, endpoint="prod", source="kafka")
    offset = web.catalog.catalog.offset
    record = matched(
        "a-1", summary=summary, partition=at.partition, offset=at.offset, catalog_offset=offset, looked=()
    )
    await web.written(DECISIONS, "a-1", record)

    page = await recomputed(web, limit=200)

    assert page["items"][-1]["playbook"] == "prod-only"
    assert page["items"][-1]["clause"] == "kind"


async def test_an_alert_that_is_gone_from_its_topic_is_taken_from_the_run_that_it_started(web: Web) -> None:
    await apply(web, "restart", kind=("other",))
    received = an_alert(kind="metric")
    record = matched("a-1", offset=99, looked=(), ruled_out=1, catalog_offset=web.catalog.catalog.offset)
    await web.written(DECISIONS, "a-1", record)
    gone = await recomputed(web)
    alert = alert_of(received)
    await web.written(RUN_JOURNAL, RUN, journal(1, with_fields(STARTED, alert=alert)))

    assert (gone["items"], gone["total"]) == ([], 1)
    assert gone["problem"] == "the alert itself is no longer kept on its topic"
    assert [each["clause"] for each in (await recomputed(web))["items"]] == ["kind"]


async def test_an_alert_that_could_not_be_read_was_asked_nothing(web: Web) -> None:
    await apply(web, "restart")
    await sent(web, AlertReceived(alert_id="a-1", endpoint="", received_at_ms=8, raw=b"x", problem="no JSON"))
    page = await recomputed(web)
    assert (page["items"], page["total"], page["problem"]) == ([], 0, "")


async def test_a_catalog_that_is_behind_is_waited_for_and_then_said_to_be(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.recomputing.KNOWN_WITHIN_S", 0.05)

    async def never(offset: int) -> None:
        raise TimeoutError(offset)

    monkeypatch.setattr(web.catalog, "reached", never)
    await web.written(DECISIONS, "a-1", matched("a-1"))
    answer = await web.client.get("/api/v1/alerts/a-1/trace", params={"all": "true"})
    assert answer.status_code == 503
    assert "has not been read to its offset 4" in answer.json()["detail"]


async def test_a_cursor_that_nobody_gave_out_is_refused(web: Web) -> None:
    await sent(web, an_alert())
    answer = await web.client.get("/api/v1/alerts/a-1/trace", params={"all": "true", "cursor": "x"})
    assert answer.status_code == 400
