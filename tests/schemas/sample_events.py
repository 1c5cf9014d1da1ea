"""One lifelike run event of every type, and the alert and ids that all samples are about."""

from schemas.actions import PinnedAction, SecretSlot
from schemas.alerts import Alert
from schemas.events import (
    BlockEntered,
    CancelSeen,
    JournalRecord,
    RecoverySeen,
    Reported,
    RunEvent,
    RunFinished,
    RunForgotten,
    RunStarted,
    StepAnswered,
    StepAsked,
    StepCancelled,
    StepClaimRefused,
    StepFailed,
    StepGranted,
    StepLate,
    StepRequested,
    StepRetryScheduled,
    StepSkipped,
    StepSucceeded,
    VarsSet,
)
from schemas.events_flow import (
    ChildRequested,
    IterationEnded,
    IterationStarted,
    LoopEntered,
    ParallelEntered,
    RunPaused,
    SwitchEntered,
    WaitStarted,
)
from schemas.ids import digest
from schemas.relations import KeptStep, Parent, PinnedChild, Rerun

AT_MS = 1_795_312_800_000
"""2026-11-22 02:00 UTC."""
ALERT_ID, RUN_ID, REVISION = "a-4d5uqkzslqk3dvqvqvqvqvqv", "r-mzxw6ytboi4dkmrqgiytsnbq", digest("revision")

ALERT = Alert(
    id=ALERT_ID,
    endpoint="datadog-prod",
    title="[Triggered] p95 latency of checkout is high",
    body="%%%\n**p95** of `checkout` > 2 s for 5 min ⚠\n\n@webhook-pulsebook\n%%%",
    text="p95 of checkout > 2 s for 5 min",
    kind="query_alert_monitor",
    type="error",
    transition="Triggered",
    priority="P2",
    monitor_id="90210",
    monitor_name="p95 latency of checkout",
    cycle_key="5577006791947779410",
    scope="env:prod,service:checkout",
    tag_list=("env:prod", "service:checkout", "monitor", "url:https://a.example/b?c=d"),
    link="https://app.datadoghq.com/event/event?id=8674665223082153551",
    at_ms=AT_MS - 2_000,
    last_updated_ms=AT_MS - 1_000,
    event_id="8674665223082153551",
    metadata={"ALERT_ID": "90210", "ALERT_TRANSITION": "Triggered", "SNAPSHOT": "null", "EXTRA": None},
)
ACTION = PinnedAction(
    name="http.request",
    repeatable=True,
    unrepeatable_when={"method": ["POST", "PATCH"]},
    url_inputs=("url",),
)

EVENTS: tuple[RunEvent, ...] = (
    RunStarted(
        playbook="checkout-latency",
        revision=REVISION,
        engine=1,
        request_id=ALERT_ID,
        via="alert",
        alert=ALERT,
        inputs={"namespace": "checkout"},
        actions=(ACTION,),
        due_ms=AT_MS + 1_800_000,
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
    ),
    StepRequested(
        step="pods",
        attempt=1,
        action="http.request",
        arguments={"url": "https://k8s.internal/pods", "auth": {"bearer": None}},
        secrets=(SecretSlot(path=("auth", "bearer"), name="CLUSTER_TOKEN"),),
        repeatable=True,
        select={"names": "output.body.items"},
        timeout_ms=60_000,
        start_by_ms=AT_MS + 600_000,
        deadline_ms=AT_MS + 660_000,
        idempotency_key=f"{RUN_ID}/pods/1",
    ),
    StepGranted(
        step="restart", attempt=1, instance="host-1", boot="b-2", booted_at_ms=AT_MS, until_ms=AT_MS + 9
    ),
    StepClaimRefused(step="restart", attempt=1, instance="host-2", boot="b-9", reason="granted to host-1"),
    StepSucceeded(step="latency", attempt=2, output={"last": 2.25}, started_at_ms=AT_MS, duration_ms=812),
    StepFailed(step="pods", attempt=3, kind="http_5xx", message="503 from k8s.internal", status="unknown"),
    StepRetryScheduled(
        step="pods",
        attempt=1,
        kind="rate_limited",
        message="429",
        due_ms=AT_MS + 4_000,
        reason="Retry-After: 4",
    ),
    StepSkipped(step="approve", reason="'env:prod' in alert.tag_list"),
    StepCancelled(step="pods", attempt=1, reason="cancel"),
    StepAsked(
        step="approve",
        question="Restart checkout?",
        choices=("restart", "leave"),
        due_ms=AT_MS + 600_000,
        on_timeout="leave",
    ),
    StepAnswered(step="approve", choice="restart", actor="mira", comment="go on"),
    StepLate(step="pods", attempt=1, status="succeeded", message="after its timeout"),
    VarsSet(step="#3", values={"pods": ["checkout-1"], "count": 1}),
    Reported(
        step="#2",
        kind="publish",
        title="p95 is 2.25 s",
        text="two pods",
        tags=("enrichment", "service:checkout"),
        alert_type="info",
        priority="low",
        host="web-1",
        aggregation_key=RUN_ID,
    ),
    BlockEntered(block="on_failure", due_ms=AT_MS, status="failed", kind="step", step="pods", message="503"),
    RecoverySeen(alert_id="a-2", recovered_at_ms=AT_MS),
    CancelSeen(actor="mira", reason="done by hand"),
    RunFinished(
        status="failed", kind="step", step="pods", message="503", outputs={"p95": 2.25}, forget_ms=AT_MS
    ),
    RunForgotten(),
    LoopEntered(step="restart", items=[{"name": "checkout-1"}, {"name": "checkout-2"}], total=2),
    IterationStarted(step="restart", index=1),
    IterationEnded(
        step="restart",
        index=1,
        outputs={"kill": {"ready": True}},
        stop=True,
        next_ms=AT_MS + 30_000,
        kind="http_5xx",
        message="503",
        origin="restart[1].kill",
    ),
    ParallelEntered(step="#7", branches=("tickets", "chat")),
    SwitchEntered(step="#8", value="0", case=-1),
    WaitStarted(step="healed", until="recovered", due_ms=AT_MS + 600_000),
    ChildRequested(
        step="child",
        playbook="notify-status-page",
        revision=REVISION,
        child_run_id="r-child",
        inputs={"component": "checkout"},
    ),
    RunPaused(due_ms=AT_MS),
)
"""One of every run event."""


def journal(*events: RunEvent) -> JournalRecord:
    """A journal record that holds these events."""
    return JournalRecord(
        run_id=RUN_ID,
        playbook="checkout-latency",
        seq=3,
        cause_topic="run-inbox",
        cause_partition=5,
        cause_offset=1_234_567,
        at_ms=AT_MS,
        events=events,
    )
