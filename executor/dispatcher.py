"""Which open step is carried out when: slots, claims and grants, bounds of waiting, cancels, the last drain.

A repeatable step waits for a slot and runs. An unrepeatable one is claimed first, and only the journal's
grant to this very boot lets it start. A slot is held while an action works, not while its answer travels. A
step is finished for a commit when the broker has acknowledged the answer, or when the journal says how it
ended. Steps of a lost partition that run go on: their answers are valid. Reading and committing are not here.
"""

from collections.abc import Callable, Collection, Iterable
from typing import assert_never

from executor.attempts import Attempts, Inbox
from executor.config import Identity
from executor.metrics import Metrics
from executor.open_steps import Change, Closed, Granted, Opened, OpenStep, Refused
from executor.partition_work import PartitionWork
from executor.progress import Position
from executor.run_step import Attempt, StepRunner
from executor.waiting import WaitingSteps
from schemas.events import JournalRecord
from schemas.inbox import StepClaimed


class Dispatcher:
    """The open steps of the assigned partitions. All methods run on the event loop's thread."""

    def __init__(
        self,
        runner: StepRunner,
        inbox: Inbox,
        me: Identity,
        metrics: Metrics,
        *,
        concurrency: int,
        now_ms: Callable[[], int],
        is_member: Callable[[], bool],
    ) -> None:
        """`is_member`: the group knew us less than a session timeout ago, so nobody else has our partitions;
        and `now_ms` is not behind.
        """
        self._inbox, self._me, self._metrics = inbox, me, metrics
        self._concurrency, self._now_ms, self._is_member = concurrency, now_ms, is_member
        self._work: dict[int, PartitionWork] = {}
        self._waiting = WaitingSteps(me, claims_ahead=max(1, concurrency // 4))
        self._attempts = Attempts(
            runner, inbox, me, metrics, on_slot_free=self._carry_on, on_finished=self._finished
        )
        self._closing = False
        self._stopping = False

    @property
    def partitions(self) -> Iterable[int]:
        """The partitions whose work is here."""
        return self._work.keys()

    @property
    def in_flight(self) -> int:
        """Steps whose action works at present."""
        return self._attempts.in_flight

    @property
    def finished(self) -> int:
        """Steps whose answer became durable."""
        return self._attempts.finished

    @property
    def behind(self) -> int:
        """Records to be read before the partitions that were assigned last are live."""
        return sum(
            max(0, work.end_offset - work.progress.next_offset)
            for work in self._work.values()
            if not work.live
        )

    def is_full(self, steps_max: int, bytes_max: int) -> bool:
        """Enough is open, and slots are busy: reading on would only fill memory.

        While slots are free, what is open waits for grants: those must be read, and so must a new partition.
        """
        if self.in_flight < self._concurrency or not all(work.live for work in self._work.values()):
            return False
        open_count = sum(work.progress.open_count for work in self._work.values())
        return open_count >= steps_max or sum(work.open_bytes for work in self._work.values()) >= bytes_max

    def assign(self, work: PartitionWork) -> None:
        """A partition became ours."""
        self._work[work.partition] = work
        self.go_live()

    def revoke(self, partition: int) -> None:
        """A partition is no longer ours: what has not started is forgotten, what runs goes on."""
        work = self._work.pop(partition, None)
        if work is not None:
            work.abandon()
            self._waiting.tidy()

    def read(self, partition: int, offset: int, record: JournalRecord, size_bytes: int) -> None:
        """Take in a record of an assigned partition."""
        work = self._work[partition]
        for change in work.read(offset, record, size_bytes):
            self._act(work, change)

    def skip(self, partition: int, offset: int) -> None:
        """Pass over a record that nobody can read."""
        self._work[partition].progress.read(offset, 0)

    def go_live(self) -> None:
        """Begin with the open steps of partitions that were read to their end; carry on with the others."""
        for work in self._work.values():
            if not work.live and work.at_end:
                work.live = True
                for step in work.steps:
                    self._welcome(work, step)
        self._carry_on()

    def positions(self) -> dict[int, Position]:
        """What may be committed, by partition."""
        return {partition: work.progress.position() for partition, work in self._work.items()}

    def tick(self) -> None:
        """Once in a while: answer for what waited too long."""
        for step in self._waiting.expired(self._now_ms()):
            self._attempts.answer_unstarted(step, _too_late(step))
        self._metrics.waiting.set(len(self._waiting))
        self._metrics.in_flight.set(self.in_flight)
        self._carry_on()

    @property
    def claimed(self) -> int:
        """Steps that we claimed and that have not started."""
        return self._waiting.claimed

    def claimed_in(self, partitions: Collection[int]) -> dict[int, int]:
        """Where, of these partitions, something is claimed and has not started: the offset to read next."""
        held = self._waiting.claimed_in() & set(partitions) & self._work.keys()
        return {partition: self._work[partition].progress.next_offset for partition in held}

    def has_read(self, partition: int, offset: int) -> bool:
        """The record is taken in already, or the partition is not ours."""
        work = self._work.get(partition)
        return work is None or offset < work.progress.next_offset

    def close(self) -> None:
        """Begin and claim nothing more, but for what is claimed already: a grant that nobody uses would leave
        a step unknown that was never begun.
        """
        self._closing = True

    def reopen(self) -> None:
        """Begin and claim again."""
        self._closing = False

    async def drain(self, grace_s: float) -> None:
        """Start nothing more; let what runs finish for that long, then stop it."""
        self._stopping = True
        await self._attempts.drain(grace_s)

    def _act(self, work: PartitionWork, change: Change) -> None:
        match change:
            case Closed():
                self._waiting.discard(change.step)
                self._attempts.stop(change.step.key, cancelled=change.cancelled)
            case Opened():
                if work.live and change.step.open:
                    self._welcome(work, change.step)
            case Granted():
                waits = work.live and change.step.open and not self._attempts.knows(change.step.key)
                if waits and not self._waiting.granted(change.step):
                    work.end(change.step)
            case Refused():
                if (change.instance, change.boot) == (self._me.instance, self._me.boot):
                    self._waiting.discard(change.step)
                    work.end(change.step)
            case _:
                assert_never(change)

    def _welcome(self, work: PartitionWork, step: OpenStep) -> None:
        """A step of a live partition is open: it begins to wait, unless this boot has it in hand already."""
        if self._attempts.knows(step.key):
            return
        if self._attempts.has_answered(step.key) or not self._waiting.add(step):
            work.end(step)

    def _carry_on(self) -> None:
        """Start and claim what may be, as far as slots and permits go."""
        if self._stopping:
            return
        while self.in_flight < self._concurrency:
            step = self._next()
            if step is None:
                break
            self._start(step)
        if self._closing:
            return
        while (step := self._waiting.next_to_claim(self._concurrency - self.in_flight)) is not None:
            self._inbox.send(
                StepClaimed(
                    run_id=step.run_id,
                    step=step.request.step,
                    attempt=step.request.attempt,
                    answers_seq=step.seq,
                    instance=self._me.instance,
                    boot=self._me.boot,
                    booted_at_ms=self._me.booted_at_ms,
                )
            )

    def _next(self) -> OpenStep | None:
        """The step whose turn it is to start."""
        is_member = self._is_member()
        if self._closing:
            return self._waiting.next_granted() if is_member else None
        return self._waiting.next_to_run(is_member)

    def _start(self, step: OpenStep) -> None:
        now_ms, request = self._now_ms(), step.request
        if min(request.start_by_ms, request.deadline_ms) <= now_ms:
            self._attempts.answer_unstarted(step, _too_late(step))
            return
        end_ms = request.deadline_ms
        if not request.repeatable:
            if step.grant is None or step.grant.until_ms <= now_ms:
                # It ran out while we were not looking: the run's own timer says what becomes of the step.
                self._finished(step)
                return
            end_ms = min(end_ms, step.grant.until_ms)
        self._attempts.start(step, min(request.timeout_ms, end_ms - now_ms) / 1000, now_ms)

    def _finished(self, step: OpenStep) -> None:
        """Over for us. The partition may have gone and come back since: then its step is another object."""
        work = self._work.get(step.partition)
        still_open = work.steps.get(step.key) if work is not None else None
        if work is not None and still_open is not None:
            work.end(still_open)


def _too_late(step: OpenStep) -> Attempt:
    waited = "a slot" if step.request.repeatable or step.grant is not None else "its claim to be granted"
    return Attempt("failed", kind="timeout", message=f"not started in time: it waited for {waited}")
