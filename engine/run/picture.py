"""The states of a run and of a step as text and Mermaid pictures, made from the tables of `engine.run.moves`.

docs/runs.md holds what `page` gives; a test fails if it is stale. Nothing is decided here.
"""

from collections.abc import Mapping

from engine.run.moves import BLOCK_MOVES, MAY_BE_UNKNOWN, RUN_MOVES, STEP_MOVES
from engine.run.state import ENDED, OVER
from schemas.events import RunFinished, RunForgotten, StepFailed
from schemas.fields import Record

RUN_WORDS: Mapping[str | None, str] = {
    "running": "a step is with the executor, or the next one is being decided",
    "waiting": "for a time, a person's answer, the alert's recovery or another run",
    "succeeded": "ended well: all steps done, or `exit` said so",
    "failed": "ended badly: a step, its timeout, unknown outcome, bad input, too much data, or our own fault",
    "cancelled": "ended because somebody asked for it, or the alert recovered and the playbook says so",
}
STEP_WORDS: Mapping[str | None, str] = {
    None: "not begun",
    "requested": "the executor is asked to carry out an attempt",
    "granted": "one executor alone may carry out this attempt of an unrepeatable step",
    "entered": "the steps inside it run",
    "waiting": "for a time, or for the alert's recovery",
    "child": "another run, which it asked for, has not ended yet",
    "retrying": "an attempt failed; the next one has a due time",
    "asking": "a person is asked: a question, or what to do about an unknown outcome",
    "answered": "somebody, or the timeout, has answered",
    "cancelled": "the attempt was given up before an answer came",
    "succeeded": "it has its output",
    "failed": "it will not be tried again",
    "unknown": "it may or may not have had its effect",
    "skipped": "its `if` was false",
}


def page() -> str:
    """All that is generated in docs/runs.md, as Markdown."""
    parts = (
        _table("state of a run", RUN_WORDS, ENDED),
        _mermaid(_run_arrows()),
        "Within a run, block by block:",
        _mermaid(_block_arrows()),
        _table("phase of a step", STEP_WORDS, OVER),
        _mermaid(_step_arrows()),
    )
    return "\n\n".join(parts) + "\n"


def _table(title: str, words: Mapping[str | None, str], final: frozenset[str]) -> str:
    rows = [f"| {title} | what it means | final |", "|---|---|---|"]
    rows += [
        f"| {name or '-'} | {text} | {'yes' if name and name in final else ''} |"
        for name, text in words.items()
    ]
    return "\n".join(rows)


def _run_arrows() -> list[str]:
    arrows = ["[*] --> running: RunStarted"]
    for status, moves in RUN_MOVES.items():
        for event, after in moves.items():
            if event is RunFinished:
                arrows += [f"{status} --> {end}: RunFinished" for end in sorted(ENDED)]
            elif event is RunForgotten:
                arrows.append(f"{status} --> [*]: RunForgotten")
            elif after != status:
                arrows.append(f"{status} --> {after}: {event.__name__}")
    return _joined(arrows)


def _block_arrows() -> list[str]:
    arrows = ["[*] --> steps"]
    for block, following in BLOCK_MOVES.items():
        arrows += [f"{block} --> {after}: BlockEntered" for after in sorted(following)]
        arrows.append(f"{block} --> [*]: RunFinished")
    return arrows


def _step_arrows() -> list[str]:
    arrows = []
    for phase, moves in STEP_MOVES.items():
        for event, after in moves.items():
            ends = (after, "unknown") if event is StepFailed and phase in MAY_BE_UNKNOWN else (after,)
            arrows += [_arrow(phase, end, event) for end in ends if end != phase]
    return _joined(arrows)


def _arrow(phase: str | None, after: str, event: type[Record]) -> str:
    return f"{phase or '[*]'} --> {after}: {event.__name__}"


def _joined(arrows: list[str]) -> list[str]:
    """One arrow for each pair of states, with all its events."""
    events: dict[str, list[str]] = {}
    for arrow in arrows:
        ends, _, event = arrow.partition(": ")
        events.setdefault(ends, []).append(event)
    return [f"{ends}: {', '.join(names)}" for ends, names in events.items()]


def _mermaid(arrows: list[str]) -> str:
    return "\n".join(["```mermaid", "stateDiagram-v2", *(f"    {arrow}" for arrow in arrows), "```"])
