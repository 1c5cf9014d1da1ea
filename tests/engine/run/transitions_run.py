"""The rest of the table of a run as given, when, then: mostly what happens while it waits for something."""

from collections.abc import Callable

from engine.playbook.model import (
    Branch,
    ExitStep,
    ParallelStep,
    PublishStep,
    RepeatStep,
    SetStep,
    Step,
    WaitStep,
)
from engine.run.state import Status
from schemas.events import BlockEntered, Ending, RunFinished, StepClaimRefused, StepGranted
from schemas.fields import Record
from schemas.inbox import StepFinished
from tests.engine.run.given import Life, a_playbook, a_step, compiled
from tests.engine.run.transitions import (
    CHILD,
    LOOP,
    PARALLEL,
    QUESTION,
    SWITCH,
    Walk,
    before,
    goes_on,
    is_cancelled,
    is_restarted,
    look,
    waiting,
)


def beside_a_wait(step: Step) -> Callable[[], Life]:
    """`step` comes next, beside a step that waits."""
    pause = Branch(name="a", steps=(WaitStep(path="pause", until="time", wait_ms=60_000),))
    return before(ParallelStep(path="#9", branches=(pause, Branch(name="b", steps=(step,)))))


def granted_beside_a_wait() -> Life:
    """A step is under a grant, and another waits."""
    step = a_step("kill", action="touch", on_unknown="retry")
    life = beside_a_wait(step)()
    life.succeed()
    life.feed(life.claim())
    return life


def asking_beside_a_step() -> Life:
    """A question waits, and a step is with the executor."""
    other = Branch(name="b", steps=(a_step("other"),))
    return Life(a_playbook(ParallelStep(path="#1", branches=(Branch(name="a", steps=(QUESTION,)), other))))


def looping_beside_a_wait() -> Life:
    """The only iteration of a loop is under way, and another step waits."""
    life = beside_a_wait(LOOP)()
    life.succeed()
    return life


def between_iterations() -> Life:
    """A loop waits for its next iteration."""
    again = RepeatStep(path="again", until="false", times=3, every_ms=3_600_000, steps=(a_step("inside"),))
    life = Life(a_playbook(again, finally_=(a_step("unlock"),)))
    life.succeed()
    return life


def ended(end: Ending) -> Callable[[], Life]:
    """A run that has ended so; its step's answer is still to come."""

    def given() -> Life:
        exits = Branch(name="b", steps=(a_step("other"), ExitStep(path="#4", status=end)))
        left = Branch(name="a", steps=(a_step("late"),))
        life = Life(a_playbook(ParallelStep(path="#1", branches=(left, exits))))
        life.succeed(step="other")
        return life

    return given


def meets_another_revision(life: Life) -> None:
    """Our own fault: the run is handed a playbook that it did not pin."""
    life.book = compiled(a_playbook(a_step("other")))
    life.recover()


BEGINS = "StepSucceeded ParallelEntered WaitStarted"
RUN_WALKS: tuple[Walk, ...] = (
    *(
        Walk(beside_a_wait(step), goes_on, f"{BEGINS} {then}")
        for step, then in (
            (LOOP, "LoopEntered IterationStarted StepRequested"),
            (PARALLEL, "ParallelEntered StepRequested"),
            (SWITCH, "SwitchEntered StepRequested"),
            (WaitStep(path="#2", until="time", wait_ms=9_000), "WaitStarted"),
            (CHILD, "ChildRequested"),
            (QUESTION, "StepAsked"),
            (a_step("two", condition="false"), "StepSkipped"),
            (SetStep(path="#2", values={"a": 1}), "VarsSet"),
            (PublishStep(path="#2", title="t"), "Reported"),
        )
    ),
    Walk(granted_beside_a_wait, is_restarted, "StepCancelled StepRetryScheduled"),
    Walk(looping_beside_a_wait, goes_on, "StepSucceeded IterationEnded StepSucceeded"),
    Walk(asking_beside_a_step, lambda life: life.reply("yes", step="sure"), "StepAnswered StepSucceeded"),
    Walk(look, lambda life: life.recover(), "RecoverySeen"),
    Walk(waiting, meets_another_revision, "StepCancelled Reported RunFinished"),
    Walk(between_iterations, is_cancelled, "CancelSeen StepCancelled BlockEntered StepRequested"),
    *(
        Walk(ended(end), lambda life: life.feed(late(life)), "StepLate")
        for end in ("succeeded", "failed", "cancelled")
    ),
    *(
        Walk(ended(end), lambda life: life.fire("forget"), "RunForgotten")
        for end in ("succeeded", "failed", "cancelled")
    ),
)
"""What `STEP_WALKS` and the stories do not show of the table of a run: mostly what happens while it waits."""


def late(life: Life) -> StepFinished:
    """The answer to the attempt that was given up."""
    return life.answer(step="late", attempt=1, status="succeeded")


NEVER: frozenset[tuple[Status, type[Record]]] = frozenset(
    {
        # While a step is with the executor, the run is `running`.
        ("waiting", StepGranted),
        ("waiting", StepClaimRefused),
        # What waits is given up before the run leaves its block or ends; then nothing waits any more.
        ("waiting", BlockEntered),
        ("waiting", RunFinished),
    }
)
"""Moves that the fold would take, as it takes all that is possible, and that no run makes."""
