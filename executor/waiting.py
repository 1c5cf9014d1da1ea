"""Open steps that wait: for a slot, for a permit to claim, for the answer to a claim. Pure.

Repeatable steps wait for a slot alone. An unrepeatable one is claimed when slots are free, or a few ahead
when none is; it waits for its grant without a slot, and goes first once it has it. Few ahead, because a grant
lasts little longer than the step's own timeout, and what is granted and not started is unknown after a crash.
"""

from collections import deque
from collections.abc import Callable, Iterator

from executor.config import Identity
from executor.open_steps import Key, OpenStep
from schemas.events import StepGranted

GRANT_MARGIN_MS = 5_000
"""How long before its grant ends a step that has not started is given up."""


class WaitingSteps:
    """The waiting steps of all partitions. Steps that are no longer open are passed over."""

    def __init__(self, me: Identity, claims_ahead: int) -> None:
        """`claims_ahead`: how many steps may be claimed while no slot is free."""
        self._me = me
        self._claims_ahead = claims_ahead
        self._ready: deque[OpenStep] = deque()
        self._granted: deque[OpenStep] = deque()
        self._to_claim: deque[OpenStep] = deque()
        self._claims: dict[Key, OpenStep] = {}

    @property
    def claimed(self) -> int:
        """Steps that we claimed and that have not started: a grant may be theirs, or on its way."""
        return len(self._claims)

    def claimed_in(self) -> set[int]:
        """The partitions of those steps."""
        return {step.partition for step in self._claims.values() if step.open}

    def __len__(self) -> int:
        return len(self._ready) + len(self._to_claim) + len(self._claims)

    def add(self, step: OpenStep) -> bool:
        """A step begins to wait; False if somebody else was granted it: it is not ours to carry out."""
        if step.request.repeatable:
            self._ready.append(step)
        elif step.grant is None or self._is_of_older_boot(step.grant):
            self._to_claim.append(step)
        elif self._is_ours(step.grant):
            self._claims[step.key] = step
            self._granted.append(step)
        else:
            return False
        return True

    def granted(self, step: OpenStep) -> bool:
        """The journal granted a waiting step; False if to somebody else: it is not ours to carry out."""
        grant = step.grant
        if grant is None or self._is_of_older_boot(grant):
            return True
        if not self._is_ours(grant):
            self.discard(step)
            return False
        if step.key not in self._claims or step not in self._granted:
            self._claims[step.key] = step
            self._granted.append(step)
        return True

    def discard(self, step: OpenStep) -> None:
        """The step's claim no longer takes a permit."""
        if self._claims.get(step.key) is step:
            del self._claims[step.key]

    def next_to_run(self, may_run_granted: bool) -> OpenStep | None:
        """The step whose turn it is; without `may_run_granted` only repeatable ones."""
        if may_run_granted and (step := self.next_granted()) is not None:
            return step
        while self._ready:
            step = self._ready.popleft()
            if step.open:
                return step
        return None

    def next_granted(self) -> OpenStep | None:
        """The granted step whose turn it is."""
        while self._granted:
            step = self._granted.popleft()
            self.discard(step)
            if step.open:
                return step
        return None

    def next_to_claim(self, free_slots: int) -> OpenStep | None:
        """The step to be claimed now, if there is one and a permit for it."""
        while self._to_claim and len(self._claims) < max(free_slots, self._claims_ahead):
            step = self._to_claim.popleft()
            if step.open and step.key not in self._claims:
                self._claims[step.key] = step
                return step
        return None

    def expired(self, at_ms: int) -> list[OpenStep]:
        """Steps that may no longer start, oldest first. They wait no more."""
        late = {step.key: step for step in self._all() if step.open and self._latest_start_ms(step) <= at_ms}
        self._keep(lambda step: step.open and step.key not in late)
        return sorted(late.values(), key=lambda step: (step.partition, step.offset))

    def tidy(self) -> None:
        """Forget what is no longer open."""
        self._keep(lambda step: step.open)

    def _keep(self, wanted: Callable[[OpenStep], bool]) -> None:
        for queue in (self._ready, self._granted, self._to_claim):
            kept = [step for step in queue if wanted(step)]
            if len(kept) < len(queue):
                queue.clear()
                queue.extend(kept)
        self._claims = {key: step for key, step in self._claims.items() if wanted(step)}

    def _all(self) -> Iterator[OpenStep]:
        yield from self._ready
        yield from self._to_claim
        yield from self._claims.values()

    def _is_ours(self, grant: StepGranted) -> bool:
        return grant.instance == self._me.instance and grant.boot == self._me.boot

    def _is_of_older_boot(self, grant: StepGranted) -> bool:
        """We started anew since: to claim again is to say that its outcome is unknown."""
        mine, boot = self._me, grant.boot
        return (
            grant.instance == mine.instance and boot != mine.boot and grant.booted_at_ms <= mine.booted_at_ms
        )

    def _latest_start_ms(self, step: OpenStep) -> int:
        latest = min(step.request.start_by_ms, step.request.deadline_ms)
        if step.grant is not None and self._is_ours(step.grant):
            # While the grant holds, we can still say that nothing was started; after it, nobody knows.
            latest = min(latest, step.grant.until_ms - GRANT_MARGIN_MS)
        return latest
