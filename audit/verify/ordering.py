"""The order in which records of one subject must lie, repeats aside."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from audit.verify.kinds import Kind
from audit.verify.traces import BEHIND, Trace


def out_of_order(firsts: Sequence[Trace]) -> Iterator[tuple[Trace, str]]:
    """Records that lie in front of one that must come before them, or behind one of a later cause.

    `firsts`: what is there, each record once, at its first place.
    """
    kinds: dict[int, list[Trace]] = defaultdict(list)
    for trace in firsts:
        kinds[trace.kind].append(trace)
    yield from _ascending(kinds[Kind.JOURNAL], "seq")
    yield from _ascending(kinds[Kind.PUBLISHED], "report")
    yield from _behind(kinds[Kind.JOURNAL])
    yield from _behind(kinds[Kind.DECIDED])
    matched = kinds[Kind.MATCHED]
    if len(matched) == 1:  # one that was matched again may come late
        yield from _behind(matched)


def _ascending(traces: list[Trace], what: str) -> Iterator[tuple[Trace, str]]:
    latest = -1
    for trace in sorted(traces, key=lambda one: (one.partition, one.offset)):
        if trace.number == 1 and what == "seq":  # after a day, the same request may start the run anew
            latest = 0
        if trace.number < latest:
            yield trace, f"{what} {_told(trace.number, what)} lies behind {_told(latest, what)}"
        latest = max(latest, trace.number)


def _told(number: int, what: str) -> str:
    return str(number) if what == "seq" else f"{number >> 16}.{number & 0xFFFF}"


def _behind(traces: list[Trace]) -> Iterator[tuple[Trace, str]]:
    for trace in traces:
        if trace.flags & BEHIND:
            yield trace, "it lies behind a record of a later input"
