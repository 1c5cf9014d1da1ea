"""What an input costs a run whose playbook has many steps in loops within loops. `python -m benchmarks.flow`.

Each playbook is carried out to its end by made-up answers; every call of `advance` is timed.
"""

import statistics
import time
from collections.abc import Iterator

from engine.playbook.canonical import digest
from engine.playbook.compiled import Compiled
from engine.playbook.model import (
    ActionStep,
    Branch,
    ForeachStep,
    InputSpec,
    ParallelStep,
    Playbook,
    SetStep,
    Step,
)
from engine.run.advancing import advance
from engine.run.number import ENGINE_NUMBER
from engine.run.state import Run
from schemas.actions import PinnedAction
from schemas.events import StepRequested
from schemas.inbox import InboxRecord, RunRequested, StepFinished, TimerFired
from schemas.outgoing import Cause

NOON_MS = 1_795_316_672_000
GROUP = 10
"""Steps of one group: a `parallel` of a loop within a loop and a branch of its own, with what is in them."""
SIZES = (10, 50, 100, 250, 500)


def a_group(number: int) -> Step:
    """Ten steps: a parallel, two loops, five actions, two sets."""

    def action(name: str) -> ActionStep:
        return ActionStep(path=f"{name}{number}", action="look", arguments={"n": "${{ inputs.n }}"})

    inner = ForeachStep(path=f"inner{number}", items="[1, 2]", variable="b", steps=(action("a"), action("b")))
    outer = ForeachStep(
        path=f"outer{number}",
        items="[1, 2]",
        variable="a",
        concurrency=2,
        steps=(inner, SetStep(path=f"#s{number}", values={"v": "${{ index }}"})),
    )
    alone = (action("c"), action("d"), SetStep(path=f"#t{number}", values={"w": 1}), action("e"))
    branches = (Branch(name="loops", steps=(outer,)), Branch(name="alone", steps=alone))
    return ParallelStep(path=f"#p{number}", branches=branches)


def a_book(steps: int) -> Compiled:
    """A playbook of so many steps, all within ten lists of each other."""
    groups = tuple(a_group(number) for number in range(steps // GROUP))
    inputs = {"n": InputSpec(type="int")}
    playbook = Playbook(name="many", inputs=inputs, steps=groups, timeout_ms=31 * 86_400_000)
    return Compiled(playbook, digest(playbook))


def carried_out(book: Compiled) -> Iterator[float]:
    """Milliseconds of each input of a whole run."""
    requested = RunRequested(
        run_id="r-1",
        playbook="many",
        revision=book.digest,
        catalog_offset=1,
        engine=ENGINE_NUMBER,
        request_id="q-1",
        via="api",
        inputs={"n": 1},
        actions=(PinnedAction(name="look", repeatable=True),),
    )
    row: Run | None = None
    waiting: list[InboxRecord] = [requested]
    offset = 0
    while waiting:
        record = waiting.pop(0)
        offset += 1
        cause = Cause("run-inbox", 0, offset, NOON_MS + offset)
        began = time.perf_counter()
        advanced = advance(row, record, cause, book)
        yield (time.perf_counter() - began) * 1_000
        row = advanced.row
        waiting += [sent.record for sent in advanced.sends if isinstance(sent.record, TimerFired)]
        for event in advanced.journal.events if advanced.journal else ():
            if isinstance(event, StepRequested) and advanced.journal is not None:
                waiting.append(
                    StepFinished(
                        run_id="r-1",
                        step=event.step,
                        attempt=event.attempt,
                        answers_seq=advanced.journal.seq,
                        status="succeeded",
                        output={"ok": True},
                    )
                )
    assert row is not None and row.status == "succeeded", row


def main() -> None:
    """Print the table."""
    print("steps  inputs  mean ms  median    p99  worst")
    first = 0.0
    for steps in SIZES:
        book = a_book(steps)
        list(carried_out(book))  # expressions are compiled once
        took = sorted(carried_out(book))
        mean = statistics.fmean(took)
        first = first or mean
        p99 = took[int(len(took) * 0.99)]
        print(
            f"{steps:5}  {len(took):6}  {mean:7.3f}  {took[len(took) // 2]:6.3f}  {p99:.3f}  {took[-1]:.3f}"
            f"  {mean / first:.2f} times the mean of {SIZES[0]} steps"
        )


if __name__ == "__main__":
    main()
