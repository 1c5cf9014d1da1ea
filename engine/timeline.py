"""A run as a person sees it, folded from its journal: status, steps, times, failures, reports and their
fate.

For pages and the command line. What a run does next is decided by `engine.run`, never from here; what is
shown of single events, as sentences, is in `engine.sentences`; a step's line in `engine.timeline_steps`.
"""

from collections.abc import Iterable
from typing import Any

import msgspec

from engine.journal import without_repeats
from engine.timeline_steps import StepLine, fold_step
from schemas.events import (
    BlockEntered,
    CancelSeen,
    JournalRecord,
    RecoverySeen,
    Reported,
    RunFinished,
    RunStarted,
    VarsSet,
)
from schemas.publications import Published, Refused


class ReportLine(msgspec.Struct, kw_only=True):
    """A text for Datadog and what became of it. `index`: which event of the journal record `seq`."""

    seq: int
    index: int
    step: str
    kind: str
    title: str
    text: str
    published_url: str = ""
    event_id: str = ""
    refused: str = ""


class Timeline(msgspec.Struct, kw_only=True):
    """A run. `status`: running, waiting, succeeded, failed, cancelled."""

    run_id: str
    playbook: str
    status: str = "running"
    revision: str = ""
    via: str = ""
    actor: str = ""
    request_id: str = ""
    alert_title: str = ""
    run_url: str = ""
    parent_run_id: str = ""
    """The run that waits for this one."""
    started_at_ms: int = 0
    ended_at_ms: int = 0
    due_ms: int = 0
    inputs: Any = {}
    outputs: Any = {}
    variables: dict[str, Any] = {}
    block: str = "steps"
    steps: list[StepLine] = []
    reports: list[ReportLine] = []
    kind: str = ""
    failed_step: str = ""
    message: str = ""
    recovered: bool = False
    cancelled_by: str = ""


def timeline(
    journal: Iterable[JournalRecord], publications: Iterable[Published | Refused] = ()
) -> Timeline | None:
    """The whole run; repeats by seq are dropped. None without records."""
    view: Timeline | None = None
    lines: dict[str, StepLine] = {}
    for record in without_repeats(journal):
        view = view or Timeline(run_id=record.run_id, playbook=record.playbook, started_at_ms=record.at_ms)
        _add(view, lines, record)
    if view is None:
        return None
    view.steps = list(lines.values())
    if not view.ended_at_ms:
        waits = any(line.status == "waiting" for line in view.steps)
        busy = any(line.status == "running" and not line.holds_others for line in view.steps)
        view.status = "waiting" if waits and not busy else "running"
    for fate in publications:
        _published(view, fate)
    return view


def _add(view: Timeline, lines: dict[str, StepLine], record: JournalRecord) -> None:
    """One record. `lines`: the steps that have begun, by path, in the order in which they did."""
    for index, event in enumerate(record.events):
        match event:
            case RunStarted():
                _started(view, event)
            case RunFinished():
                view.status, view.outputs, view.ended_at_ms = event.status, event.outputs, record.at_ms
                view.kind, view.failed_step, view.message = event.kind, event.step, event.message
            case BlockEntered():
                view.block, view.due_ms = event.block, event.due_ms
                view.kind, view.failed_step, view.message = event.kind, event.step, event.message
            case RecoverySeen():
                view.recovered = True
            case CancelSeen():
                view.cancelled_by = event.actor or event.reason or "somebody"
            case Reported():
                view.reports.append(_report(record.seq, index, event))
        if not isinstance(event, RunFinished | BlockEntered) and (path := getattr(event, "step", "")):
            line = lines.setdefault(path, StepLine(step=path, block=view.block))
            fold_step(line, event, record)
        if isinstance(event, VarsSet):
            view.variables |= event.values


def _report(seq: int, index: int, event: Reported) -> ReportLine:
    return ReportLine(
        seq=seq, index=index, step=event.step, kind=event.kind, title=event.title, text=event.text
    )


def _started(view: Timeline, event: RunStarted) -> None:
    view.revision, view.via, view.actor = event.revision, event.via, event.actor
    view.request_id, view.run_url, view.due_ms = event.request_id, event.run_url, event.due_ms
    view.inputs = event.inputs
    view.parent_run_id = event.parent.run_id if event.parent is not None else ""
    view.alert_title = event.alert.title if event.alert is not None else ""


def _published(view: Timeline, fate: Published | Refused) -> None:
    for line in view.reports:
        if (line.seq, line.index) == (fate.seq, fate.index):
            match fate:
                case Published():
                    line.published_url, line.event_id = fate.url, fate.event_id
                case Refused():
                    line.refused = f"{fate.status}: {fate.reason}"
