"""From journals to answers: what each attempt asked and what it came to, what people were asked and said."""

from dataclasses import dataclass, field

from audit.whatif.fates import asked_of, what_of
from audit.whatif.spool import Kept, Spool
from engine.run.frames import id_of
from engine.simulation.running import MAYBE_DONE
from schemas.events import (
    JournalRecord,
    RunEvent,
    RunFinished,
    RunStarted,
    StepAnswered,
    StepAsked,
    StepCancelled,
    StepFailed,
    StepRequested,
    StepRetryScheduled,
    StepSucceeded,
)
from schemas.json import canonical

_NOTHING = canonical(None)


@dataclass(slots=True)
class _Open:
    """A run whose end has not been read."""

    seq: int = 0
    requests: dict[str, tuple[StepRequested, int]] = field(default_factory=dict)
    """By step: the attempt under way, and when it was asked for."""
    questions: dict[str, tuple[int, int]] = field(default_factory=dict)
    """By step: attempt (0 for a question of the playbook), and when it was asked."""


class Recorder:
    """Hears the journal records of wanted runs, those of each run in order; repeats do no harm."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._open: dict[str, _Open] = {}
        self.run_url_prefix = ""
        """What stands before the run's id in the pages of runs, as they were recorded."""

    def hear(self, record: JournalRecord) -> None:
        """The next record of its run."""
        run = self._open.setdefault(record.run_id, _Open())
        if record.seq <= run.seq:
            return
        run.seq = record.seq
        for event in record.events:
            self._hear(run, record, event)

    def _hear(self, run: _Open, record: JournalRecord, event: RunEvent) -> None:
        match event:
            case RunStarted():
                self._spool.begin(record.run_id)
                if event.run_url.endswith(record.run_id):
                    self.run_url_prefix = event.run_url.removesuffix(record.run_id)
            case StepRequested():
                run.requests[event.step] = (event, record.at_ms)
            case StepSucceeded():
                answer = ("succeeded", "", "", canonical(event.output))
                self._ended(run, record, event.step, answer, event.duration_ms)
            case StepFailed():
                answer = (event.status, event.kind, event.message, _NOTHING)
                self._ended(run, record, event.step, answer, event.duration_ms)
            case StepRetryScheduled():
                status = "unknown" if event.kind in MAYBE_DONE or event.kind == "unknown" else "failed"
                self._ended(run, record, event.step, (status, event.kind, event.message, _NOTHING))
            case StepCancelled():
                # What was given up has no answer; one that was overdue has, in the event that follows.
                pass
            case StepAsked():
                run.questions[event.step] = (event.attempt, record.at_ms)
                if event.attempt:
                    self._ended(run, record, event.step, ("unknown", "unknown", event.question, _NOTHING))
            case StepAnswered():
                self._said(run, record, event)
            case RunFinished():
                self._open.pop(record.run_id, None)
            case _:
                pass

    def _ended(
        self,
        run: _Open,
        record: JournalRecord,
        step: str,
        answer: tuple[str, str, str, bytes],
        duration_ms: int = 0,
    ) -> None:
        found = run.requests.pop(step, None)
        if found is None:
            return
        asked, at_ms = found
        status, kind, message, output = answer
        if status == "unknown" and asked.repeatable:
            status = "failed"
        after_ms = max(0, record.at_ms - at_ms)
        kept = Kept(
            status, kind, message, output, after_ms, min(duration_ms or after_ms, after_ms), asked.timeout_ms
        )
        self._spool.keep_answer(record.run_id, step, asked.attempt, asked_of(asked), kept)
        if status == "succeeded":
            place = (record.playbook, id_of(step), does_of(asked))
            self._spool.keep_example(*place, record.at_ms, record.run_id, kept)

    def _said(self, run: _Open, record: JournalRecord, event: StepAnswered) -> None:
        found = run.questions.pop(event.step, None)
        if found is not None:
            attempt, at_ms = found
            choice = event.choice if event.actor else ""
            after_ms = max(0, record.at_ms - at_ms)
            self._spool.keep_word(record.run_id, event.step, attempt, choice, event.actor, after_ms)


def does_of(asked: StepRequested) -> str:
    """What kind of answer the step gives: its action, and what is kept of it."""
    return what_of(asked.action, asked.select)
