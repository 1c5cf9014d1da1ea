"""Every legal move of a step as given, when, then: a run that stands before it, the one input that leads to
it, and all events of that input. Those of a run that these and the `stories` do not show: `transitions_run`.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from engine.playbook.model import (
    AskStep,
    Branch,
    Case,
    ForeachStep,
    ParallelStep,
    PublishStep,
    RepeatStep,
    Retry,
    RunStep,
    SetStep,
    Step,
    SwitchStep,
    WaitStep,
)
from engine.run.state import Phase
from schemas.events import (
    Reported,
    StepAnswered,
    StepAsked,
    StepCancelled,
    StepClaimRefused,
    StepFailed,
    StepGranted,
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
    SwitchEntered,
    WaitStarted,
)
from schemas.fields import Record
from tests.engine.run.given import Life, a_playbook, a_step


class Walk(NamedTuple):
    """given, when, then."""

    given: Callable[[], Life]
    when: Callable[[Life], object]
    then: str
    """Names of the events, in their order."""


def before(step: Step) -> Callable[[], Life]:
    """A run whose first step is under way; `step` comes next."""
    return lambda: Life(a_playbook(a_step("first"), step))


def look() -> Life:
    """A repeatable step is with the executor."""
    return Life(a_playbook(a_step()))


def touch(**more: Any) -> Callable[[], Life]:
    """A step that must not be done twice is with the executor, which has not claimed it."""
    return lambda: Life(a_playbook(a_step("kill", action="touch", **more)))


def granted(**more: Any) -> Callable[[], Life]:
    """The same, under a grant."""

    def given() -> Life:
        life = touch(**more)()
        life.feed(life.claim())
        return life

    return given


def retrying() -> Life:
    """An attempt failed, and the next one is due."""
    life = look()
    life.fail("http_5xx")
    return life


def retrying_what_fails() -> Life:
    """The same; the next attempt's arguments cannot be computed any more."""
    divides = a_step("divide", arguments={"n": "${{ 10 / vars.n }}"})
    other = Branch(name="b", steps=(a_step("other"), SetStep(path="#5", values={"n": 0})))
    both = ParallelStep(path="#2", branches=(Branch(name="a", steps=(divides,)), other))
    life = Life(a_playbook(SetStep(path="#1", values={"n": 5}), both))
    life.fail("http_5xx", step="divide")
    life.succeed(step="other")
    return life


def unclear() -> Life:
    """Nobody knows whether a step was done, and a person is asked."""
    life = granted(on_unknown="ask")()
    life.fail("timeout", status="unknown")
    return life


def asked() -> Life:
    """A question waits for its answer."""
    return Life(a_playbook(QUESTION))


def answered_while_it_breaks_off() -> Life:
    """The answer is there, and what follows from it waits, because the run broke off."""
    many = tuple(SetStep(path=f"#{n}", values={"n": n}) for n in range(3, 480))
    long = Branch(name="a", steps=(WaitStep(path="#2", until="time", wait_ms=60_000), *many))
    other = Branch(name="b", steps=(a_step("kill", action="touch", on_unknown="ask", timeout_ms=3_000_000),))
    life = Life(a_playbook(ParallelStep(path="#1", branches=(long, other))))
    life.feed(life.claim())
    life.fail("timeout", status="unknown", step="kill")
    life.fire("wait/")
    life.reply("retry", step="kill")
    return life


def iterating(*, items: str = "[1, 2]", **more: Any) -> Callable[[], Life]:
    """The first iteration of a loop is under way."""
    body = (a_step("inside"),)
    return lambda: Life(a_playbook(ForeachStep(path="each", items=items, variable="x", steps=body, **more)))


def waiting() -> Life:
    """A step waits for a time."""
    return Life(a_playbook(WaitStep(path="pause", until="time", wait_ms=60_000)))


def with_a_child() -> Life:
    """A step waits for another run."""
    return Life(a_playbook(CHILD))


QUESTION = AskStep(path="sure", question="Sure?", choices=("yes", "no"), on_timeout="fail")
CHILD = RunStep(path="child", playbook="status-page")
LOOP = ForeachStep(path="each", items="[1]", variable="x", steps=(a_step("inside"),))
REPEAT = RepeatStep(path="again", until="true", times=2, steps=(a_step("inside"),))
PARALLEL = ParallelStep(path="#2", branches=(Branch(name="a", steps=(a_step("inside"),)),))
SWITCH = SwitchStep(path="#2", value="1", cases=(Case(value="1", steps=(a_step("inside"),)),))


def goes_on(life: Life) -> None:
    life.succeed()


def fails(life: Life) -> None:
    life.fail("http_4xx")


def is_cancelled(life: Life) -> None:
    life.cancel()


def is_restarted(life: Life) -> None:
    """The granted executor comes back with a newer boot: its attempt may have been done."""
    life.feed(life.claim(boot="boot-2", booted_at_ms=2))


ENDS = " RunFinished"
FAILS = " Reported RunFinished"
STEP_WALKS: Mapping[tuple[Phase | None, type[Record]], Walk] = {
    (None, StepRequested): Walk(before(a_step("two")), goes_on, "StepSucceeded StepRequested"),
    (None, StepAsked): Walk(before(QUESTION), goes_on, "StepSucceeded StepAsked"),
    (None, LoopEntered): Walk(
        before(LOOP), goes_on, "StepSucceeded LoopEntered IterationStarted StepRequested"
    ),
    (None, ParallelEntered): Walk(before(PARALLEL), goes_on, "StepSucceeded ParallelEntered StepRequested"),
    (None, SwitchEntered): Walk(before(SWITCH), goes_on, "StepSucceeded SwitchEntered StepRequested"),
    (None, WaitStarted): Walk(
        before(WaitStep(path="#2", until="time", wait_ms=9_000)), goes_on, "StepSucceeded WaitStarted"
    ),
    (None, ChildRequested): Walk(before(CHILD), goes_on, "StepSucceeded ChildRequested"),
    (None, StepSkipped): Walk(
        before(a_step("two", condition="false")), goes_on, "StepSucceeded StepSkipped" + ENDS
    ),
    (None, VarsSet): Walk(
        before(SetStep(path="#2", values={"a": 1})), goes_on, "StepSucceeded VarsSet" + ENDS
    ),
    (None, Reported): Walk(
        before(PublishStep(path="#2", title="t")), goes_on, "StepSucceeded Reported" + ENDS
    ),
    (None, StepFailed): Walk(
        before(a_step("two", arguments={"q": "${{ steps.first.output.gone }}"})),
        goes_on,
        "StepSucceeded StepFailed" + FAILS,
    ),
    ("requested", StepSucceeded): Walk(look, goes_on, "StepSucceeded" + ENDS),
    ("requested", StepFailed): Walk(look, fails, "StepFailed" + FAILS),
    ("requested", StepRetryScheduled): Walk(look, lambda life: life.fail("http_5xx"), "StepRetryScheduled"),
    ("requested", StepAsked): Walk(
        touch(on_unknown="ask"), lambda life: life.fail("timeout", status="unknown"), "StepAsked"
    ),
    ("requested", StepCancelled): Walk(look, is_cancelled, "CancelSeen StepCancelled" + ENDS),
    ("requested", StepGranted): Walk(touch(), lambda life: life.feed(life.claim()), "StepGranted"),
    ("requested", StepClaimRefused): Walk(
        touch(start_within_ms=1_000),
        lambda life: life.feed(life.claim(), at_ms=life.at_ms + 2_000),
        "StepClaimRefused",
    ),
    ("granted", StepSucceeded): Walk(granted(), goes_on, "StepSucceeded" + ENDS),
    ("granted", StepFailed): Walk(granted(), fails, "StepFailed" + FAILS),
    ("granted", StepRetryScheduled): Walk(
        granted(retry=Retry(attempts=2)), lambda life: life.fail("unreachable"), "StepRetryScheduled"
    ),
    ("granted", StepAsked): Walk(
        granted(on_unknown="ask"), lambda life: life.fail("timeout", status="unknown"), "StepAsked"
    ),
    ("granted", StepCancelled): Walk(granted(), is_cancelled, "CancelSeen StepCancelled" + ENDS),
    ("granted", StepClaimRefused): Walk(
        granted(), lambda life: life.feed(life.claim("executor-2")), "StepClaimRefused"
    ),
    ("retrying", StepRequested): Walk(retrying, lambda life: life.fire("retry/"), "StepRequested"),
    ("retrying", StepFailed): Walk(
        retrying_what_fails, lambda life: life.fire("retry/"), "StepFailed StepFailed" + FAILS
    ),
    ("retrying", StepCancelled): Walk(retrying, is_cancelled, "CancelSeen StepCancelled" + ENDS),
    ("asking", StepAnswered): Walk(
        asked, lambda life: life.reply("yes", step="sure"), "StepAnswered StepSucceeded" + ENDS
    ),
    ("asking", StepCancelled): Walk(asked, is_cancelled, "CancelSeen StepCancelled" + ENDS),
    ("answered", StepRequested): Walk(
        unclear, lambda life: life.reply("retry"), "StepAnswered StepRequested"
    ),
    ("answered", StepSucceeded): Walk(
        asked, lambda life: life.reply("yes", step="sure"), "StepAnswered StepSucceeded" + ENDS
    ),
    ("answered", StepFailed): Walk(
        unclear, lambda life: life.reply("fail"), "StepAnswered StepFailed" + FAILS
    ),
    ("answered", StepCancelled): Walk(
        answered_while_it_breaks_off, is_cancelled, "CancelSeen StepCancelled StepCancelled" + ENDS
    ),
    ("entered", IterationStarted): Walk(
        iterating(), goes_on, "StepSucceeded IterationEnded IterationStarted StepRequested"
    ),
    ("entered", IterationEnded): Walk(
        iterating(items="[1]"), goes_on, "StepSucceeded IterationEnded StepSucceeded" + ENDS
    ),
    ("entered", StepSucceeded): Walk(
        iterating(items="[1]"), goes_on, "StepSucceeded IterationEnded StepSucceeded" + ENDS
    ),
    ("entered", StepFailed): Walk(iterating(), fails, "StepFailed IterationEnded StepFailed" + FAILS),
    ("entered", StepCancelled): Walk(
        iterating(), is_cancelled, "CancelSeen StepCancelled StepCancelled" + ENDS
    ),
    ("waiting", StepSucceeded): Walk(waiting, lambda life: life.fire("wait/"), "StepSucceeded" + ENDS),
    ("waiting", StepCancelled): Walk(waiting, is_cancelled, "CancelSeen StepCancelled" + ENDS),
    ("child", StepSucceeded): Walk(
        with_a_child, lambda life: life.child_ends("child", "succeeded"), "StepSucceeded" + ENDS
    ),
    ("child", StepFailed): Walk(
        with_a_child, lambda life: life.child_ends("child", "failed"), "StepFailed" + FAILS
    ),
    ("child", StepCancelled): Walk(with_a_child, is_cancelled, "CancelSeen StepCancelled" + ENDS),
    ("cancelled", StepFailed): Walk(granted(), is_restarted, "StepCancelled StepFailed" + FAILS),
    ("cancelled", StepRetryScheduled): Walk(
        granted(on_unknown="retry"), is_restarted, "StepCancelled StepRetryScheduled"
    ),
    ("cancelled", StepAsked): Walk(granted(on_unknown="ask"), is_restarted, "StepCancelled StepAsked"),
}

UNKNOWN_WALKS: Mapping[Phase, Walk] = {
    "requested": Walk(touch(), lambda life: life.fail("timeout", status="unknown"), "StepFailed" + FAILS),
    "granted": Walk(granted(), lambda life: life.fail("timeout", status="unknown"), "StepFailed" + FAILS),
    "answered": Walk(unclear, lambda life: life.reply("fail"), "StepAnswered StepFailed" + FAILS),
    "cancelled": Walk(granted(), is_restarted, "StepCancelled StepFailed" + FAILS),
}
"""From where StepFailed leads to `unknown`."""
