"""How the findings of `audit verify` look: a table, what could not be checked, differences with both sides,
and a sentence; or documents.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from audit.verify.explaining import Explained
from audit.verify.findings import Difference, Place3, Tally
from audit.verify.frame import Frame
from audit.verify.kinds import RECORDS
from cli.output import document, moment, say
from cli.tables import show_rows
from schemas.topics import TOPICS

COLUMNS = ("topic", "read", "follows", "equal", "repeats", "not_yet", "differences")
VALUE_CHARS_MAX = 160
FIELDS_MAX = 8
REPEATS_SHOWN = 5


def documents(tally: Tally, frame: Frame, both: Sequence[Explained]) -> None:
    """One JSON document a line: differences, what was not checked, repeats, and last the summary."""
    for one in both:
        document({"difference": _difference(one)})
    for reason, count in _unchecked(tally, frame):
        document({"not_checked": reason, "count": count})
    for place in tally.repeats:
        document({"repeat": place_text(place)})
    document(
        {
            "summary": {
                "differences": sum(tally.wrong.values()),
                "topics": [_row(topic.name, tally) for topic in TOPICS],
                "live_runs": tally.counts["run-inbox", "live runs"],
                "since_ms": frame.since_ms,
                "until_ms": frame.until_ms,
                "verdict": verdict(tally),
            }
        }
    )


def show(tally: Tally, frame: Frame, both: Sequence[Explained]) -> None:
    """The same for a person."""
    show_rows([_row(topic.name, tally) for topic in TOPICS], COLUMNS, False, "")
    say()
    unchecked = list(_unchecked(tally, frame))
    if unchecked:
        say("could not be checked:")
        for reason, count in unchecked:
            say(f"  {count} {reason}" if count else f"  {reason}")
        say()
    repeats = sum(count for (_, what), count in tally.counts.items() if what == "repeats")
    if repeats:
        shown = ", ".join(place_text(place) for place in tally.repeats[:REPEATS_SHOWN])
        more = ", …" if repeats > REPEATS_SHOWN else ""
        say(f"written again with the same content (readers drop repeats): {repeats}: {shown}{more}")
        say()
    for one in both:
        for line in lines_of(one):
            say(line)
        say()
    if len(both) < sum(tally.wrong.values()):
        say(f"{sum(tally.wrong.values()) - len(both)} more differences (--show N shows more)")
    say(verdict(tally))


def verdict(tally: Tally) -> str:
    """One sentence."""
    wrong, compared = sum(tally.wrong.values()), _sum(tally, "equal")
    if wrong:
        kinds = ", ".join(f"{count} {what}" for what, count in sorted(_by_what(tally).items()))
        return (
            f"{wrong} difference{'s' if wrong > 1 else ''} ({kinds}); {compared} records are as they must be"
        )
    unchecked = sum(tally.unchecked.values())
    but = f"; {unchecked} could not be checked" if unchecked else ""
    if not compared:
        return f"no difference, but nothing was compared: no input there leads to anything{but}"
    return f"no difference: {compared} records are what follows from their inputs{but}"


def lines_of(one: Explained) -> Iterator[str]:
    """A difference: what and where, then what is expected and what is found."""
    difference = one.difference
    record = RECORDS[difference.kind] if difference.kind is not None else "record"
    where = difference.found or difference.expected
    about = f" {_about(one)}" if _about(one) else ""
    text = f": {difference.text}" if difference.text else ""
    place = place_text(where) if where else difference.topic
    yield f"{difference.what}: {record}{about} at {place}{text} ({moment(difference.at_ms)})"
    if difference.expected is not None and difference.found is not None:
        yield f"  follows from {place_text(difference.expected)}"
    if one.fields:
        for path, expected, found in one.fields[:FIELDS_MAX]:
            yield f"  {path}: expected {_short(expected)}"
            yield f"  {' ' * len(path)}     found {_short(found)}"
        if len(one.fields) > FIELDS_MAX:
            yield f"  and {len(one.fields) - FIELDS_MAX} more fields"
        return
    if one.expected is not None:
        yield f"  expected {_short(one.expected, 4)}"
    if one.found is not None:
        yield f"  found {_short(one.found, 4)}"


def place_text(place: Place3) -> str:
    """Such as run-journal/3@120."""
    return f"{place[0]}/{place[1]}@{place[2]}"


def _about(one: Explained) -> str:
    side = one.found or one.expected
    if side is None:
        return ""
    for names in (("run_id", "seq"), ("alert_id",), ("request_id", "playbook"), ("child_run_id",)):
        if names[0] in side:
            told = [
                f"{'run ' if name == 'run_id' else f'{name} '}{side[name]}" for name in names if name in side
            ]
            return " ".join(told)
    return ""


def _short(value: Any, times: int = 1) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    longest = VALUE_CHARS_MAX * times
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _difference(one: Explained) -> dict[str, Any]:
    difference: Difference = one.difference
    return {
        "what": difference.what,
        "topic": difference.topic,
        "record": RECORDS[difference.kind] if difference.kind is not None else None,
        "at": place_text(difference.found) if difference.found else None,
        "follows_from": place_text(difference.expected) if difference.expected else None,
        "at_ms": difference.at_ms,
        "text": difference.text,
        "expected": one.expected,
        "found": one.found,
        "fields": [{"path": path, "expected": left, "found": right} for path, left, right in one.fields],
    }


def _unchecked(tally: Tally, frame: Frame) -> Iterator[tuple[str, int]]:
    for (topic, partition), _ in sorted(frame.begins_ms.items()):
        yield f"{topic}/{partition} before {frame.start(topic, partition)}: deleted by retention", 0
    if frame.judged_until_ms is not None and _sum(tally, "not yet worked off") + _sum(tally, "pending"):
        after = moment(frame.judged_until_ms)
        yield f"whether all is there that belongs to records after {after}: the export ended there", 0
    yield from sorted(tally.unchecked.items())


def _row(topic: str, tally: Tally) -> dict[str, Any]:
    return {
        "topic": topic,
        "read": tally.read[topic],
        "follows": tally.counts[topic, "derived"],
        "equal": tally.counts[topic, "equal"],
        "repeats": tally.counts[topic, "repeats"],
        "not_yet": tally.counts[topic, "not yet worked off"] + tally.counts[topic, "pending"],
        "differences": sum(count for (name, _), count in tally.wrong.items() if name == topic),
    }


def _sum(tally: Tally, what: str) -> int:
    return sum(count for (_, name), count in tally.counts.items() if name == what)


def _by_what(tally: Tally) -> dict[str, int]:
    found: dict[str, int] = {}
    for (_, what), count in tally.wrong.items():
        found[what] = found.get(what, 0) + count
    return found
