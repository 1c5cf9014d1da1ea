"""An earlier revision of a playbook becomes the active one again."""

from typing import Any

from schemas.catalog import PlaybookSet
from schemas.topics import CATALOG
from tests.console.conftest import Web
from tests.console.test_catalog_api import BOOK, apply


async def revisions(web: Web, *texts: str) -> list[str]:
    """Apply these, one after the other; their digests."""
    return [(await apply(web, BOOK.replace("hello", text))).json()["digest"] for text in texts]


async def roll_back(web: Web, **body: Any) -> Any:
    return await web.client.post("/api/v1/playbooks/restart/rollback", json=body)


async def active(web: Web) -> Any:
    return (await web.client.get("/api/v1/playbooks/restart")).json()


async def test_without_a_word_it_is_the_revision_that_was_active_before(web: Web) -> None:
    one, two = await revisions(web, "one", "two")

    answer = await roll_back(web)

    assert (answer.status_code, answer.json()["outcome"], answer.json()["digest"]) == (200, "applied", one)
    shown = await active(web)
    assert (shown["digest"], shown["reason"]) == (one, f"rolled back from {two[:12]}")
    assert "text: one" in shown["source"]
    assert [each["digest"] for each in shown["earlier"]] == [two]
    assert [book.digest for book in web.catalog.catalog.active()] == [one]


async def test_a_second_rollback_takes_back_the_first(web: Web) -> None:
    one, two, three = await revisions(web, "one", "two", "three")

    assert (await roll_back(web)).json()["digest"] == two
    assert (await roll_back(web, reason="no, it was well")).json()["digest"] == three
    shown = await active(web)
    assert (shown["reason"], shown["actor"]) == ("no, it was well", "local")
    assert [each["digest"] for each in shown["earlier"]] == [two, one]


async def test_any_revision_can_be_named_by_the_beginning_of_its_digest(web: Web) -> None:
    one, _, three = await revisions(web, "one", "two", "three")

    assert (await roll_back(web, to=one[:8])).json()["digest"] == one
    same = await roll_back(web, to=one)
    assert same.json()["outcome"] == "unchanged"
    assert (await active(web))["reason"] == f"rolled back from {three[:12]}"


async def test_a_revision_that_there_is_not_is_refused_with_those_there_are(web: Web) -> None:
    one, _ = await revisions(web, "one", "two")
    before = len(web.log.records(CATALOG))

    answer = await roll_back(web, to="zzz")

    assert (answer.status_code, answer.json()["revisions"]) == (422, [one])
    assert one[:12] in answer.json()["detail"]
    assert len(web.log.records(CATALOG)) == before


async def test_a_playbook_that_never_was_another_cannot_go_back_and_a_missing_one_is_404(web: Web) -> None:
    await revisions(web, "one")
    assert (await roll_back(web)).status_code == 409
    gone = await web.client.post("/api/v1/playbooks/nobody/rollback")
    assert gone.status_code == 404


async def test_a_disabled_playbook_stays_so(web: Web) -> None:
    await revisions(web, "one", "two")
    await web.client.post("/api/v1/playbooks/restart/disable")
    await roll_back(web)
    (record,) = [one for one in web.log.records(CATALOG) if isinstance(one, PlaybookSet)][-1:]
    assert record.enabled is False


async def test_a_revision_that_would_be_refused_today_stays_where_it_is(web: Web) -> None:
    def running(child: str) -> str:
        return f"playbook: restart\non: {{call: {{}}}}\nsteps: [{{id: a, run: {child}}}]\n"

    await apply(web, running("other"))
    await apply(web, running("another"))
    await apply(web, "playbook: other\non: {call: {}}\nsteps: [{id: a, run: restart}]\n")

    answer = await roll_back(web)

    assert answer.status_code == 422
    assert "in a circle" in answer.json()["detail"]
