"""One alert and one playbook in both worlds: what differs; and what all of them come to, by playbook."""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from audit.whatif.fates import RAN, Fate, Ran

How = Literal[
    "starts",
    "no_longer_starts",
    "held_back",
    "no_longer_matches",
    "other_steps",
    "waits",
    "no_longer_waits",
]
"""starts: a run would begin that does not now, and so on. held_back: it matches and a rule holds it back,
which was not so, or was another rule. other_steps: the run would do something else, or end otherwise. waits:
it would begin all the same, but after a time in the queue.
"""
StepHow = Literal["now_runs", "no_longer_runs", "ends_otherwise", "asks_otherwise"]
_WHAT = {"inputs": "with other inputs", "text": "another text", "question": "another question"}
_KINDS = {"text": "publish", "values": "set"}
_INDEX = re.compile(r"\[\d+\]")


@dataclass(frozen=True, slots=True)
class StepChange:
    """A step, or all iterations of it that differ alike."""

    step: str
    """Its path, without the numbers of iterations: `restart[].kill`."""
    how: StepHow
    detail: str
    times: int
    assumed: str = ""
    """Why its answer in the second world is none on record; empty where it is."""
    depends: bool = False
    """What it would do rests on what was assumed of another step."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one alert and one playbook in one world; the fields are those of `Fate`."""

    decision: str
    rule: str
    reason: str
    queued: str
    status: str
    failed_step: str
    failure: str
    text: str
    """All of it, for a person."""


@dataclass(frozen=True, slots=True)
class Change:
    """What would be different for one alert and one playbook."""

    playbook: str
    alert_id: str
    run_id: str
    at_ms: int
    title: str
    how: How
    before: Outcome
    after: Outcome
    on_record: bool
    """Whether it really started a run then."""
    steps: tuple[StepChange, ...] = ()
    assumed: tuple[str, ...] = ()
    """Steps of the second world whose answers are assumed."""


@dataclass(frozen=True, slots=True)
class Seen:
    """An alert that at least one world's playbook matches."""

    playbook: str
    alert_id: str
    at_ms: int
    title: str
    on_record: bool


@dataclass(slots=True)
class Tally:
    """One playbook. Pairs are Counters of the first and of the second world."""

    matched: tuple[int, int] = (0, 0)
    started: tuple[int, int] = (0, 0)
    held: tuple[Counter[str], Counter[str]] = field(default_factory=lambda: (Counter(), Counter()))
    """By rule: what matched and did not start."""
    steps: tuple[Counter[str], Counter[str]] = field(default_factory=lambda: (Counter(), Counter()))
    """Times that each step ran, by its path without numbers."""
    assumed: Counter[str] = field(default_factory=Counter)
    """Of those of the second world, the ones whose answers are assumed."""
    changes: Counter[str] = field(default_factory=Counter)
    """By `How`."""
    on_record: int = 0
    """Alerts that really started a run."""

    @property
    def changed(self) -> int:
        """Alerts for which anything would be different."""
        return self.changes.total()


class Comparison:
    """Holds what became of each alert in one world until the other has come as far."""

    def __init__(self, on_change: Callable[[Change], None]) -> None:
        self._on_change = on_change
        self._seen: dict[str, Seen] = {}
        self._first: dict[str, Fate] = {}
        self._second: dict[str, Fate] = {}
        self.tallies: dict[str, Tally] = {}

    def expect(self, run_id: str, seen: Seen) -> None:
        """Both worlds will tell of this run, or why there is none."""
        self._seen[run_id] = seen

    def first(self, run_id: str, fate: Fate) -> None:
        """What became of it among the active playbooks."""
        other = self._second.pop(run_id, None)
        if other is None:
            self._first[run_id] = fate
        else:
            self._compare(run_id, fate, other)

    def second(self, run_id: str, fate: Fate) -> None:
        """And among the others."""
        other = self._first.pop(run_id, None)
        if other is None:
            self._second[run_id] = fate
        else:
            self._compare(run_id, other, fate)

    @property
    def open(self) -> int:
        """How many are not decided yet."""
        return len(self._seen)

    def _compare(self, run_id: str, before: Fate, after: Fate) -> None:
        seen = self._seen.pop(run_id)
        tally = self.tallies.setdefault(seen.playbook, Tally())
        _count(tally, seen, before, after)
        steps = step_changes(before, after) if before.started and after.started else ()
        how = how_changed(before, after, bool(steps))
        if how is None:
            return
        if after.started and not before.started:
            steps = step_changes(before, after)
        tally.changes[how] += 1
        self._on_change(
            Change(
                playbook=seen.playbook,
                alert_id=seen.alert_id,
                run_id=run_id,
                at_ms=seen.at_ms,
                title=seen.title,
                how=how,
                before=outcome(before),
                after=outcome(after),
                on_record=seen.on_record,
                steps=steps,
                assumed=tuple(
                    sorted({step_named(path, ran) for path, ran in after.steps.items() if ran.assumed})
                ),
            )
        )


def how_changed(before: Fate, after: Fate, other_steps: bool) -> How | None:
    """None: nothing would be different."""
    if after.started != before.started:
        return "starts" if after.started else "no_longer_starts"
    if not after.started:
        if (before.decision, before.rule) == (after.decision, after.rule) or not (
            before.matched or after.matched
        ):
            return None
        return "held_back" if after.matched else "no_longer_matches"
    if other_steps or (before.status, before.failed_step) != (after.status, after.failed_step):
        return "other_steps"
    if bool(before.queued) != bool(after.queued):
        return "waits" if after.queued else "no_longer_waits"
    return None


def step_changes(before: Fate, after: Fate) -> tuple[StepChange, ...]:
    """What the steps of one run do otherwise, in the order in which they run."""
    found: Counter[tuple[str, StepHow, str, str, bool]] = Counter()
    # What a run does not come to because of what was assumed depends on it, too.
    unsure = _rests(after, after.failed_step)
    for path in {**after.steps, **before.steps}:
        was, would = before.steps.get(path, _NOT), after.steps.get(path, _NOT)
        change = _step_change(was, would)
        if change is not None:
            depends = would.depends or (unsure and would is _NOT)
            found[(step_named(path, was if would is _NOT else would), *change, would.assumed, depends)] += 1
    return tuple(
        StepChange(step, how, detail, times, assumed, depends)
        for (step, how, detail, assumed, depends), times in found.items()
    )


_NOT = Ran()


def _rests(fate: Fate, path: str) -> bool:
    """Whether what the step did is assumed, or rests on what is."""
    ran = fate.steps.get(path, _NOT)
    return bool(ran.assumed) or ran.depends


def _step_change(was: Ran, would: Ran) -> tuple[StepHow, str] | None:
    ran, runs = was.status in RAN, would.status in RAN
    if runs and not ran:
        return "now_runs", would.status
    if ran and not runs:
        return "no_longer_runs", would.status
    if not runs:
        return None
    if was.status != would.status:
        return "ends_otherwise", f"{was.status}, now {would.status}"
    if was.what != would.what:
        return "asks_otherwise", _WHAT.get(would.kind, "other values")
    return None


def outcome(fate: Fate) -> Outcome:
    """A fate without its steps."""
    return Outcome(
        fate.decision,
        fate.rule,
        fate.reason,
        fate.queued,
        fate.status,
        fate.failed_step,
        fate.failure,
        sentence(fate),
    )


def sentence(fate: Fate) -> str:
    """What became of it, for a person."""
    why = ": ".join(filter(None, (fate.rule, fate.reason)))
    match fate.decision:
        case "absent":
            return "there is no such playbook"
        case "not_matched":
            return f"does not match ({why})"
        case "started":
            waited = f" after waiting for {fate.queued}" if fate.queued else ""
            at = ": ".join(filter(None, (fate.failed_step, fate.failure)))
            failure = f" ({at})" if at else ""
            return f"starts{waited}, {fate.status}{failure}"
        case _:
            return f"{fate.decision.replace('_', ' ')} ({why})"


def _count(tally: Tally, seen: Seen, before: Fate, after: Fate) -> None:
    both = (before, after)
    tally.matched = (tally.matched[0] + before.matched, tally.matched[1] + after.matched)
    tally.started = (tally.started[0] + before.started, tally.started[1] + after.started)
    tally.on_record += seen.on_record
    for fate, held, steps in zip(both, tally.held, tally.steps, strict=True):
        if fate.matched and not fate.started:
            held[fate.rule] += 1
        for path, ran in fate.steps.items():
            steps[step_named(path, ran)] += ran.status in RAN
    for path, ran in after.steps.items():
        tally.assumed[step_named(path, ran)] += bool(ran.assumed)


def step_named(path: str, ran: Ran) -> str:
    """A step for a person: without the numbers of iterations, and what it is where it has no name."""
    plain = _INDEX.sub("[]", path)
    return f"{plain} ({_KINDS[ran.kind]})" if "#" in plain and ran.kind in _KINDS else plain
