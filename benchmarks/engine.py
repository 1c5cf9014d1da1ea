"""What the pure engine costs: `python -m benchmarks.engine` prints a table. No broker, no processes.

A run here has three steps and four inputs; "all of it" is what the processor does with an input beside Kafka:
decode the row, advance, encode the row, encode the journal record.
"""

import time
from collections.abc import Callable, Sequence

from engine.playbook.canonical import digest
from engine.playbook.compiled import Compiled
from engine.playbook.model import ActionStep, Playbook
from engine.run.advancing import Advanced, advance, decode_row, encode_row, refold
from engine.run.number import ENGINE_NUMBER
from schemas.actions import PinnedAction
from schemas.alerts import Alert
from schemas.codec import encode
from schemas.inbox import InboxRecord, RunRequested, StepFinished
from schemas.outgoing import Cause

RUN_ID = "r-benchmark"
AT_MS = 1_769_860_800_000
SECONDS_PER_ROW = 0.5

PLAIN = Playbook(name="noop", steps=tuple(ActionStep(path=path, action="log") for path in ("a", "b", "c")))
EXPRESSIVE = Playbook(
    name="expressive",
    steps=(
        ActionStep(
            path="a", action="log", arguments={"q": "avg{${{ alert.tags['service'] }}} ${{ alert.title }}"}
        ),
        ActionStep(
            path="b",
            action="log",
            condition="steps.a.output.last > 1.0 && 'env:prod' in alert.tag_list",
            arguments={"last": "${{ steps.a.output.last }}"},
        ),
        ActionStep(path="c", action="log", arguments={"text": "p95 was ${{ steps.b.output.last }} s"}),
    ),
    outputs={"last": "${{ steps.c.output.last }}"},
)


def inputs_of(playbook: Playbook, alert: Alert) -> tuple[Compiled, list[InboxRecord]]:
    """A playbook ready to run, and the four inputs of a run that succeeds."""
    book = Compiled(playbook, digest(playbook))
    request = RunRequested(
        run_id=RUN_ID,
        playbook=playbook.name,
        revision=book.digest,
        catalog_offset=1,
        engine=ENGINE_NUMBER,
        request_id=alert.id,
        via="alert",
        alert=alert,
        actions=(PinnedAction(name="log", repeatable=True),),
    )
    answers = [
        StepFinished(
            run_id=RUN_ID,
            step=path,
            attempt=1,
            answers_seq=seq,
            status="succeeded",
            output={"last": 4.25, "items": [1, 2, 3]},
        )
        for seq, path in enumerate(("a", "b", "c"), start=1)
    ]
    return book, [request, *answers]


def run(book: Compiled, inputs: Sequence[InboxRecord]) -> list[Advanced]:
    """All inputs of a run, one after the other."""
    done: list[Advanced] = []
    row = None
    for offset, record in enumerate(inputs):
        done.append(advance(row, record, Cause("run-inbox", 0, offset, AT_MS + offset), book))
        row = done[-1].row
    return done


def all_of_it(book: Compiled, inputs: Sequence[InboxRecord]) -> None:
    """The same with rows and records as bytes."""
    data = None
    for offset, record in enumerate(inputs):
        row = None if data is None else decode_row(data)
        after = advance(row, record, Cause("run-inbox", 0, offset, AT_MS + offset), book)
        assert after.row is not None and after.journal is not None
        data = encode_row(after.row)
        encode(after.journal)


def cost_us(work: Callable[[], object]) -> float:
    """Microseconds of one call: the best of three rounds."""
    work()
    rounds = []
    for _ in range(3):
        count, began = 0, time.perf_counter()
        while (took := time.perf_counter() - began) < SECONDS_PER_ROW / 3:
            work()
            count += 1
        rounds.append(took / count * 1e6)
    return min(rounds)


def rows() -> list[tuple[str, float, float]]:
    """What was measured: name, microseconds a run, microseconds an input."""
    small = Alert(
        id="a-1", title="latency is high", body="x" * 500, tag_list=("service:checkout", "env:prod")
    )
    large = Alert(id="a-2", title="latency is high", body="x" * 100_000, tag_list=small.tag_list)
    measured = []
    for name, playbook, alert in (
        ("3 steps", PLAIN, small),
        ("3 steps with expressions", EXPRESSIVE, small),
        ("3 steps, alert of 100 KB", PLAIN, large),
    ):
        book, inputs = inputs_of(playbook, alert)
        journal = [after.journal for after in run(book, inputs) if after.journal is not None]
        assert len(journal) == len(inputs)
        for what, work in (
            ("advance", lambda book=book, inputs=inputs: run(book, inputs)),
            ("all of it", lambda book=book, inputs=inputs: all_of_it(book, inputs)),
            ("refold", lambda journal=journal: refold(journal)),
        ):
            cost = cost_us(work)
            measured.append((f"{name}: {what}", cost, cost / len(inputs)))
    return measured


def main() -> None:
    print(f"{'engine':<44}{'us a run':>10}{'us an input':>13}")
    for name, per_run, per_input in rows():
        print(f"{name:<44}{per_run:>10.0f}{per_input:>13.1f}")


if __name__ == "__main__":
    main()
