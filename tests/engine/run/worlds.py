"""Hypothesis strategies: playbooks of every kind of step, and a world that answers a run until it ends."""

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from engine.playbook.model import (
    ActionStep,
    AskStep,
    Branch,
    Case,
    ExitStep,
    ForeachStep,
    InputSpec,
    OnUnknown,
    ParallelStep,
    Playbook,
    PublishStep,
    RepeatStep,
    Retry,
    RunStep,
    SetStep,
    Step,
    SwitchStep,
    WaitStep,
)
from engine.run.state import StepState
from schemas.inbox import Answered, ChildEnded, FailureKind, InboxRecord, RunRecovered, TimerFired
from tests.engine.run.given import RUN_ID, Life

KINDS: list[FailureKind] = ["timeout", "unreachable", "http_5xx", "rate_limited", "http_4xx", "bad_output"]
UNKNOWNS: list[OnUnknown] = ["fail", "ask", "continue", "retry"]
TRUE, FALSE, FAULTY = "alert.title != ''", "run.status == 'failed'", "alert.tags['team'] == 'a'"
CONDITIONS = [*[""] * 12, TRUE, TRUE, FALSE, FAULTY]
VALUES: list[Any] = [
    1,
    "text @all",
    "${{ alert.title }}",
    "${{ alert.tags }}",
    "${{ run.started_at }} ${{ failure.kind }}",
    "${{ inputs.n + 1 }}",
    {"nested": ["${{ inputs.n }}", None, 1.5]},
]
OUTPUTS: list[Any] = [None, {}, {"n": 1, "items": ["a", {"b": 2**70}]}, "x" * 500, [1.25, True, "\u2603"], 0]

ITEMS = ["[]", "[1]", "['a', 'b', 'c', 'd']", "alert.tag_list", "inputs.n", "alert.metadata.missing"]

values = st.sampled_from([*VALUES * 3, "${{ alert.tags['missing'] }}"])


def action_steps(path: str) -> st.SearchStrategy[Step]:
    return st.builds(
        ActionStep,
        path=st.just(path),
        action=st.sampled_from(["touch", "look", "http.request"]),
        condition=st.sampled_from(CONDITIONS),
        arguments=st.dictionaries(
            st.sampled_from(["method", "url", "q"]), values | st.just("POST"), max_size=2
        ),
        retry=st.none() | st.builds(Retry, attempts=st.integers(1, 4), delay_ms=st.integers(0, 5_000)),
        timeout_ms=st.sampled_from([1_000, 60_000]),
        start_within_ms=st.sampled_from([5_000, 600_000]),
        repeatable=st.none() | st.booleans(),
        on_unknown=st.sampled_from(UNKNOWNS),
        continue_on_error=st.sampled_from([True, True, False]),
    )


def inline_steps(path: str) -> st.SearchStrategy[Step]:
    condition = st.sampled_from(CONDITIONS)
    publishes = st.builds(
        PublishStep, path=st.just(path), condition=condition, title=st.just("t ${{ alert.body }}")
    )
    sets = st.builds(
        SetStep,
        path=st.just(path),
        condition=condition,
        values=st.dictionaries(st.sampled_from(["a", "b"]), values, min_size=1),
    )
    exits = st.builds(
        ExitStep,
        path=st.just(path),
        condition=st.sampled_from(["", FALSE, FALSE]),
        status=st.sampled_from(["succeeded", "failed", "cancelled"]),
        reason=st.sampled_from(["", "because", "${{ alert.title }}"]),
    )
    return st.one_of(publishes, sets, sets, exits)


@st.composite
def lists(draw: st.DrawFn, taken: list[int], depth: int) -> tuple[Step, ...]:
    """A list of steps; those that hold others at most `depth` deep. `taken`: how many there are already."""
    steps = []
    for _ in range(draw(st.integers(1, 3))):
        taken[0] += 1
        path = f"s{taken[0]}"
        kind = draw(st.integers(0, 9)) if depth else 0
        if taken[0] > 14 or kind < 3:
            inline = draw(st.integers(0, 3)) == 3
            steps.append(draw(inline_steps(f"#{taken[0]}") if inline else action_steps(path)))
            continue
        steps.append(draw(flow_steps(path, kind, taken, depth)))
    return tuple(steps)


@st.composite
def flow_steps(draw: st.DrawFn, path: str, kind: int, taken: list[int], depth: int) -> Step:
    common: dict[str, Any] = {"path": path, "condition": draw(st.sampled_from(CONDITIONS))}
    goes_on = draw(st.booleans())
    within = lists(taken, depth - 1)
    match kind:
        case 3 | 4:
            return ForeachStep(
                **common,
                items=draw(st.sampled_from(ITEMS)),
                variable=f"of_{path}",
                concurrency=draw(st.integers(1, 3)),
                until=draw(st.sampled_from(["", "", "index == 1", FAULTY])),
                steps=draw(within),
                continue_on_error=goes_on,
            )
        case 5:
            return RepeatStep(
                **common,
                until=draw(st.sampled_from(["index == 1", "false", "true", FAULTY])),
                times=draw(st.integers(1, 3)),
                every_ms=draw(st.sampled_from([0, 700, 30_000])),
                steps=draw(within),
                continue_on_error=goes_on,
            )
        case 6:
            branches = tuple(Branch(name=f"b{n}", steps=draw(within)) for n in range(draw(st.integers(1, 3))))
            return ParallelStep(**common, branches=branches, continue_on_error=goes_on)
        case 7:
            return SwitchStep(
                **common,
                value=draw(st.sampled_from(["inputs.n", "alert.title", FAULTY])),
                cases=(Case(value="3", steps=draw(within)),),
                default=draw(within),
                continue_on_error=goes_on,
            )
        case 8:
            return WaitStep(
                **common,
                until=draw(st.sampled_from(["time", "recovered"])),
                wait_ms=draw(st.integers(1, 90_000)),
            )
        case _:
            if draw(st.booleans()):
                return RunStep(
                    **common,
                    playbook=draw(st.sampled_from(["status-page", "status-page", "nowhere"])),
                    continue_on_error=goes_on,
                )
            return AskStep(
                **common,
                question="Go on, ${{ alert.title }}?",
                choices=("yes", "no"),
                on_timeout=draw(st.sampled_from(["yes", "fail"])),
                on_skip="no",
                timeout_ms=60_000,
                continue_on_error=goes_on,
            )


@st.composite
def flowing(draw: st.DrawFn) -> Playbook:
    """A playbook with steps within steps."""
    taken = [0]
    return Playbook(
        name="demo",
        inputs={"n": InputSpec(type="int", default=3)},
        timeout_ms=draw(st.sampled_from([3_600_000, 86_400_000, 20_000])),
        steps=draw(lists(taken, 3)),
        on_failure=draw(st.just(()) | lists(taken, 1)),
        finally_=draw(st.just(()) | lists(taken, 1)),
    )


@st.composite
def playbooks(draw: st.DrawFn) -> Playbook:
    counts = draw(st.tuples(st.integers(2, 5), st.integers(0, 2), st.integers(0, 2)))
    steps = []
    for n in range(1, sum(counts) + 1):
        inline = draw(st.integers(0, 3)) == 3
        steps.append(draw(inline_steps(f"#{n}") if inline else action_steps(f"s{n}")))
    first, second = counts[0], counts[0] + counts[1]
    return Playbook(
        name="demo",
        inputs={"n": InputSpec(type="int", default=3)},
        timeout_ms=draw(st.sampled_from([3_600_000, 86_400_000, 5_000])),
        steps=tuple(steps[:first]),
        on_failure=tuple(steps[first:second]),
        finally_=tuple(steps[second:]),
        report=draw(st.sampled_from([("failed",), (), ("failed", "succeeded", "cancelled")])),
        outputs=draw(st.dictionaries(st.sampled_from(["x", "y"]), values, max_size=2)),
    )


class World:
    """What may legally happen next to a run: executors, timers and people, each choice drawn."""

    def __init__(self, draw: Callable[[st.SearchStrategy[Any]], Any], life: Life) -> None:
        self.draw = draw
        self.life = life
        self.retries_left = 2

    def step(self) -> tuple[InboxRecord, int]:
        """The next input and its time: a due timer that overtook everybody, or one of those who can act."""
        life = self.life
        moves = self._timers()
        for path, state in life.live.steps.items():
            if state.phase in ("requested", "granted"):
                moves = [*self._executor(path, state) * 3, *moves]
            elif state.phase == "asking":
                moves += [self._answer(path, state)] * 4
            elif state.phase == "child":
                moves += [self._child(path, state)] * 3
        if not life.live.recovered:
            recovered = RunRecovered(run_id=RUN_ID, alert_id="a-2", recovered_at_ms=1)
            moves = [*moves, (recovered, self._soon())]
        record, at_ms = self.draw(st.sampled_from(moves))
        overdue = [one for one in self._timers() if one[1] <= at_ms]
        return min(overdue, key=lambda one: one[1]) if overdue else (record, at_ms)

    def _soon(self) -> int:
        later_ms: int = self.draw(st.integers(-300, 2_000))
        return self.life.at_ms + later_ms

    def _timers(self) -> list[tuple[InboxRecord, int]]:
        pending = [item for item in self.life.live.timers.items() if item[0] != "forget"]
        return [(TimerFired(row=RUN_ID, timer=timer, due_ms=due), due) for timer, due in pending]

    def _child(self, path: str, state: StepState) -> tuple[InboxRecord, int]:
        status = self.draw(st.sampled_from(["succeeded", "failed", "held_back", "cancelled"]))
        ended = ChildEnded(
            run_id=RUN_ID, step=path, child_run_id=state.child_run_id, status=status, outputs={"n": 1}
        )
        return ended, self._soon()

    def _answer(self, path: str, state: StepState) -> tuple[InboxRecord, int]:
        choices = ["fail", "continue"] + (["retry"] if self.retries_left else [])
        if "retry" not in state.choices:
            choices = list(state.choices)
        choice = self.draw(st.sampled_from(choices))
        self.retries_left -= choice == "retry"
        return Answered(run_id=RUN_ID, step=path, choice=choice, actor="ann"), self._soon()

    def _executor(self, path: str, state: StepState) -> list[tuple[InboxRecord, int]]:
        life, at_ms = self.life, self._soon()
        boot = state.grant.boot if state.grant else "boot-1"
        instance = state.grant.instance if state.grant else "ex-1"
        who = {"instance": instance, "boot": boot, "step": path}
        of = {"step": path, "answers_seq": life.seq_of(path), "attempt": state.attempt}
        kind = self.draw(st.sampled_from(KINDS))
        wait_ms = self.draw(st.sampled_from([None, None, 500, 90_000]))
        failed = life.answer(
            status="failed", kind=kind, message=f"{kind} @here", retry_after_ms=wait_ms, **who
        )
        if state.repeatable:
            done = life.answer(status="succeeded", output=self.draw(st.sampled_from(OUTPUTS)), **who)
            return [*[(done, at_ms)] * 3, *[(failed, at_ms)] * 2]
        if state.grant is None:
            return [
                (life.claim("ex-1", "boot-1", 1, **of), at_ms),
                (life.claim("ex-2", "boot-8", 8, **of), at_ms),
                (failed, at_ms),
            ]
        return [
            *[(life.answer(status="succeeded", output=1, **who), at_ms)] * 3,
            (life.answer(status="unknown", kind="timeout", message="reset", **who), at_ms),
            (life.claim(instance, boot + "+", state.grant.booted_at_ms + 1, **of), at_ms),
            (life.claim("ex-3", "boot-9", 9, **of), at_ms),
            (failed, at_ms),
        ]
