"""One lifelike record of every type: what the golden files hold. Run events are in `sample_events`."""

from typing import Any

from schemas.admissions import AlertRecovered, Candidate, CandidateCancelled, Hold, PlaybookSwitched, RunEnded
from schemas.alerts import AlertReceived, AlertSummary
from schemas.catalog import EndpointSet, PlaybookSet, RebuildReported, RevisionAdded, SwitchSet, TokenSet
from schemas.dead_letters import DeadLetter, DeadLetterHandled
from schemas.decisions import AdmissionDecided, AlertMatched, Looked
from schemas.fields import Record
from schemas.ids import digest
from schemas.inbox import (
    Answered,
    CancelRequested,
    ChildEnded,
    Limits,
    RunRecovered,
    RunRequested,
    StepClaimed,
    StepFinished,
    TimerFired,
)
from schemas.publications import Published, Refused
from schemas.relations import KeptStep, Parent, PinnedChild, Rerun
from tests.schemas.sample_events import ACTION, ALERT, ALERT_ID, AT_MS, EVENTS, REVISION, RUN_ID, journal

_REQUESTED = RunRequested(
    run_id=RUN_ID,
    playbook="checkout-latency",
    revision=REVISION,
    catalog_offset=41,
    engine=1,
    request_id=ALERT_ID,
    via="alert",
    key="90210/env:prod,service:checkout",
    alert=ALERT,
    inputs={"namespace": "checkout", "replicas": 3},
    actions=(ACTION,),
    limits=Limits(step_output_bytes_max=1_024),
    run_url="https://pulsebook.example/runs/" + RUN_ID,
    parent=Parent(run_id="r-parent", step="each[0].child", seq=7, depth=2),
    children=(PinnedChild(playbook="notify-status-page", revision=REVISION, catalog_offset=40),),
    rerun=Rerun(
        run_id="r-earlier",
        from_step="restart",
        kept=(
            KeptStep(step="pods", status="failed", kind="http_5xx", message="503", attempt=3, seq=2),
            KeptStep(step="latency", status="succeeded", output={"last": 4.2}, attempt=1, seq=3),
        ),
        variables={"high": True},
    ),
)
_INBOX: tuple[Record, ...] = (
    _REQUESTED,
    StepClaimed(
        run_id=RUN_ID,
        step="restart",
        attempt=1,
        answers_seq=4,
        instance="host-1",
        boot="b-2",
        booted_at_ms=AT_MS,
    ),
    StepFinished(
        run_id=RUN_ID,
        step="latency",
        attempt=2,
        answers_seq=3,
        status="succeeded",
        output={
            "last": 2.25,
            "mean": -0.5,
            "pods": ["checkout-1", "checkout-2"],
            "more": {"é": None, "big": 2**70},
        },
        started_at_ms=AT_MS,
        duration_ms=812,
        instance="host-1",
        boot="b-2",
    ),
    TimerFired(row=RUN_ID, timer="run", due_ms=AT_MS + 1_800_000),
    Answered(run_id=RUN_ID, step="approve", choice="restart", actor="mira", comment="go on"),
    RunRecovered(run_id=RUN_ID, alert_id="a-2", recovered_at_ms=AT_MS, cancel=True),
    CancelRequested(run_id=RUN_ID, actor="mira", reason="done by hand"),
    ChildEnded(
        run_id=RUN_ID, step="sub", child_run_id="r-2", status="succeeded", outputs={"ok": True}, answers_seq=4
    ),
)
_BY: dict[str, Any] = {"actor": "mira", "at_ms": AT_MS, "reason": "first version"}
_PAUSE = Hold(name="pause", actor="mira", at_ms=AT_MS, reason="deploy freeze")
SAMPLES: tuple[Record, ...] = (
    AlertReceived(
        alert_id=ALERT_ID,
        endpoint="datadog-prod",
        received_at_ms=AT_MS,
        content_type="application/json",
        raw=b'{"title": "caf\xc3\xa9"}\x00\xff',
        alert=ALERT,
    ),
    AlertMatched(
        alert_id=ALERT_ID,
        at_ms=AT_MS,
        summary=AlertSummary(
            endpoint="datadog-prod", source="webhook", title=ALERT.title, received_at_ms=AT_MS
        ),
        partition=3,
        offset=77,
        catalog_offset=41,
        looked=(
            Looked(playbook="checkout-latency", revision=REVISION, matched=True),
            Looked(
                playbook="disk-full", revision=REVISION, matched=False, clause="tags", detail="wants env:dev"
            ),
        ),
        ruled_out=12,
    ),
    AdmissionDecided(
        request_id=ALERT_ID,
        playbook="checkout-latency",
        run_id=RUN_ID,
        alert_id=ALERT_ID,
        decision="held_back",
        rule="while_running",
        reason="a run with this key is under way",
        until_ms=AT_MS + 900_000,
        key="90210/env:prod,service:checkout",
        revision=REVISION,
        at_ms=AT_MS,
        partition=2,
        offset=8,
    ),
    Candidate(
        request_id=ALERT_ID,
        playbook="checkout-latency",
        revision=REVISION,
        catalog_offset=41,
        run_id=RUN_ID,
        alert=ALERT,
        inputs={"replicas": 3},
        received_at_ms=AT_MS,
        parent=Parent(run_id="r-parent", step="each[0].child", seq=7, depth=2),
        children=(PinnedChild(playbook="notify-status-page", revision=REVISION, catalog_offset=40),),
        rerun=Rerun(
            run_id="r-earlier",
            from_step="restart",
            kept=(
                KeptStep(step="pods", status="failed", kind="http_5xx", message="503", attempt=3, seq=2),
                KeptStep(step="latency", status="succeeded", output={"last": 4.2}, attempt=1, seq=3),
            ),
            variables={"high": True},
        ),
        paused=_PAUSE,
        muted=Hold(name="mute/m-1", actor="ann", at_ms=AT_MS, until_ms=AT_MS + 7_200_000),
    ),
    AlertRecovered(
        alert_id="a-2", playbook="checkout-latency", revision=REVISION, catalog_offset=41, alert=ALERT
    ),
    RunEnded(run_id=RUN_ID, playbook="checkout-latency", key="90210/", status="succeeded"),
    CandidateCancelled(playbook="checkout-latency", run_id=RUN_ID, actor="mira", reason="it is over"),
    PlaybookSwitched(playbook="checkout-latency", enabled=False, catalog_offset=41, paused=_PAUSE),
    *_INBOX,
    journal(*EVENTS),
    Published(
        run_id=RUN_ID,
        seq=9,
        index=0,
        event_id="8674665223082153999",
        url="https://app.datadoghq.com/event/event?id=8674665223082153999",
        sent={"title": "p95 is 2.25 s", "tags": ["pulsebook_id:r/9"]},
        attempts=2,
        may_repeat=True,
        at_ms=AT_MS,
    ),
    Refused(run_id=RUN_ID, seq=9, index=1, status=413, reason="too large", sent={"title": "x"}, at_ms=AT_MS),
    RevisionAdded(
        **_BY, digest=REVISION, playbook="disk-full", canonical='{"name":"disk-full"}', source="# a\n"
    ),
    PlaybookSet(**_BY, name="disk-full", digest=REVISION, enabled=False),
    EndpointSet(
        **_BY,
        name="prod",
        token_sha256=digest("new"),
        old_token_sha256=digest("old"),
        old_valid_until_ms=AT_MS,
    ),
    TokenSet(**_BY, name="ci", token_sha256=digest("ci"), role="operator", deleted=True),
    SwitchSet(**_BY, name="partitions", value=12),
    RebuildReported(
        **_BY,
        requested_at=41,
        table="runs",
        partition=3,
        state="done",
        rows=1_204,
        equal=1_201,
        differing=2,
        kept=1,
        examples=(RUN_ID,),
        since_ms=AT_MS,
        took_ms=950,
    ),
    DeadLetter(
        topic="alerts",
        partition=1,
        offset=2,
        at_ms=AT_MS,
        key=b"\xff\x00",
        value=b"not an alert",
        headers={"endpoint": b"prod", "b3": b"\x01"},
        stage="match",
        reason="not JSON",
        detail="normalising",
    ),
    DeadLetterHandled(
        partition=3,
        offset=17,
        outcome="redriven",
        actor="mira",
        at_ms=AT_MS,
        reason="the registry is back",
        topic="alerts",
        to_partition=1,
        to_offset=4711,
    ),
)
"""One of every record that stands on a topic, the journal record with one of every event."""
