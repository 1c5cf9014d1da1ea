"""POST /api/v1/runs/{id}/cancel: where a cancel goes, by how far its run has got."""

import pytest

from schemas.admissions import CandidateCancelled
from schemas.inbox import CancelRequested
from schemas.topics import ADMISSIONS, DECISIONS, RUN_INBOX, RUN_JOURNAL
from tests.console.conftest import Web
from tests.console.samples import RUN, STARTED, WHOLE_RUN, decided, journal


async def test_a_cancel_goes_to_the_runs_inbox(web: Web) -> None:
    await web.written(RUN_JOURNAL, RUN, journal(1, STARTED))

    answer = await web.client.post(f"/api/v1/runs/{RUN}/cancel", json={"reason": "enough"})

    assert answer.status_code == 202
    assert web.log.records(RUN_INBOX) == [CancelRequested(run_id=RUN, actor="local", reason="enough")]
    assert web.log.keys(RUN_INBOX) == [RUN.encode()]


@pytest.mark.parametrize("decision", ["queued", "started"])
async def test_a_cancel_of_what_the_journal_does_not_know_yet_goes_to_admission(
    web: Web, decision: str
) -> None:
    await web.written(DECISIONS, "a-9", decided(decision, run_id="r-9", request_id="a-9"))

    answer = await web.client.post("/api/v1/runs/r-9/cancel", json={"reason": "enough"})

    assert answer.status_code == 202
    assert web.log.records(ADMISSIONS) == [
        CandidateCancelled(playbook="restart", run_id="r-9", actor="local", reason="enough")
    ]
    assert web.log.keys(ADMISSIONS) == [b"restart"]
    assert not web.log.records(RUN_INBOX)


async def test_what_was_cancelled_in_the_queue_says_so(web: Web) -> None:
    first = decided("queued", run_id="r-9", request_id="a-9")
    then = decided("dropped", 6, run_id="r-9", request_id="a-9", rule="cancelled", reason="mira cancelled it")
    await web.written(DECISIONS, "a-9", first, then)

    run = (await web.client.get("/api/v1/runs/r-9")).json()

    assert (run["status"], run["message"]) == ("dropped", "cancelled: mira cancelled it")
    assert (await web.client.post("/api/v1/runs/r-9/cancel")).status_code == 409


async def test_what_has_ended_or_is_unknown_is_not_cancelled(web: Web) -> None:
    await web.written(RUN_JOURNAL, RUN, *WHOLE_RUN)

    for name, status in ((RUN, 409), ("r-nobody", 404)):
        assert (await web.client.post(f"/api/v1/runs/{name}/cancel")).status_code == status
    assert not web.log.records(RUN_INBOX)
