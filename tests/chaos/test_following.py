"""The bench's view of what is missing: repeats say nothing new."""

from typing import Literal

from connectors.event_log import Entry
from schemas.codec import encode
from schemas.decisions import AdmissionDecided
from tests.chaos.following import Following


def decided(decision: Literal["queued", "started"]) -> Entry:
    record = AdmissionDecided(
        request_id="a-1", playbook="queues", run_id="r-1", decision=decision, at_ms=1, partition=0, offset=1
    )
    return Entry("decisions", 0, 0, 1, b"a-1", encode(record), ())


def test_a_candidate_waits_until_it_is_decided_about() -> None:
    following = Following()
    following.take(decided("queued"))
    assert following.missing([]) == ["r-1: queued"]
    following.take(decided("started"))
    following.ended["r-1"] = "succeeded"
    assert following.missing([]) == []


def test_a_first_decision_that_is_told_again_does_not_put_it_back_into_the_queue() -> None:
    following = Following()
    for decision in ("queued", "started", "queued"):
        following.take(decided(decision))
    following.ended["r-1"] = "succeeded"
    assert following.missing([]) == []
