"""What goes out beside a journal record, derived from its events: word to admission, to parent and child.

The same events send the same, so a record that is made again sends the same again.
"""

from engine.run.beginning import child_request_id
from engine.run.evolving import PAUSE
from engine.run.state import Run
from schemas.admissions import Candidate, CandidateCancelled, RunEnded
from schemas.events import JournalRecord, RunEvent, RunFinished, RunStarted, StepCancelled
from schemas.events_flow import ChildRequested, RunPaused
from schemas.inbox import ChildEnded, RunRequested, TimerFired
from schemas.outgoing import Outgoing
from schemas.relations import Parent
from schemas.topics import ADMISSIONS, RUN_INBOX


def sends_of(
    journal: JournalRecord, row: Run | None, pinned: RunStarted | RunRequested | None
) -> tuple[Outgoing, ...]:
    """What this record sends. `row`: as it was before; `pinned`: None once the run had ended."""
    if pinned is None:
        return ()
    children = {
        path: (state.child_playbook, state.child_run_id)
        for path, state in (row.steps.items() if row is not None else ())
        if state.phase == "child"
    }
    sends: list[Outgoing] = []
    for event in journal.events:
        if isinstance(event, ChildRequested):
            children[event.step] = (event.playbook, event.child_run_id)
        sends.extend(_sends(event, journal, pinned, children))
    return tuple(sends)


def _sends(
    event: RunEvent,
    journal: JournalRecord,
    pinned: RunStarted | RunRequested,
    children: dict[str, tuple[str, str]],
) -> tuple[Outgoing, ...]:
    match event:
        case ChildRequested():
            candidate = _candidate(event, journal, pinned)
            return (Outgoing(ADMISSIONS, event.playbook, candidate),)
        case StepCancelled() if event.step in children:
            playbook, run_id = children[event.step]
            cancelled = CandidateCancelled(
                playbook=playbook, run_id=run_id, actor=f"run {journal.run_id}", reason=event.reason
            )
            return (Outgoing(ADMISSIONS, playbook, cancelled),)
        case RunPaused():
            again = TimerFired(row=journal.run_id, timer=PAUSE, due_ms=event.due_ms)
            return (Outgoing(RUN_INBOX, journal.run_id, again),)
        case RunFinished():
            return (*_ended(event, journal, pinned), *_told_parent(event, journal, pinned.parent))
        case _:
            return ()


def _candidate(event: ChildRequested, journal: JournalRecord, pinned: RunStarted | RunRequested) -> Candidate:
    child = next(one for one in pinned.children if one.playbook == event.playbook)
    depth = 1 if pinned.parent is None else pinned.parent.depth + 1
    return Candidate(
        request_id=child_request_id(journal.run_id, event.step),
        playbook=event.playbook,
        revision=event.revision,
        catalog_offset=child.catalog_offset,
        run_id=event.child_run_id,
        via="playbook",
        actor=f"run {journal.run_id}",
        alert=pinned.alert,
        inputs=event.inputs,
        received_at_ms=journal.at_ms,
        parent=Parent(run_id=journal.run_id, step=event.step, seq=journal.seq, depth=depth),
        children=pinned.children,
    )


def _ended(
    event: RunFinished, journal: JournalRecord, pinned: RunStarted | RunRequested
) -> tuple[Outgoing, ...]:
    """The slot is free."""
    ended = RunEnded(run_id=journal.run_id, playbook=journal.playbook, key=pinned.key, status=event.status)
    return (Outgoing(ADMISSIONS, journal.playbook, ended),)


def _told_parent(event: RunFinished, journal: JournalRecord, parent: Parent | None) -> tuple[Outgoing, ...]:
    if parent is None:
        return ()
    ended = ChildEnded(
        run_id=parent.run_id,
        step=parent.step,
        child_run_id=journal.run_id,
        status=event.status,
        outputs=event.outputs,
        message=event.message,
        answers_seq=parent.seq,
    )
    return (Outgoing(RUN_INBOX, parent.run_id, ended),)
