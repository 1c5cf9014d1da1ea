"""What a test expects beside what came of its run. Only what is written is compared."""

import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from engine.expressions_values import as_json
from engine.simulation.told import NOT_REACHED, Told
from engine.yaml_values import Mark, Value

_SHOWN_MAX = 300
_ITERATION = re.compile(r"\[\d+\]")


class Difference(NamedTuple):
    """One thing that is not as expected, and where the test says what it should be."""

    mark: Mark
    what: str
    expected: str
    got: str

    def __str__(self) -> str:
        """In one line."""
        return f"{self.what}: expected {self.expected}, got {self.got}"


def differences(expect: Value, told: Told) -> tuple[Difference, ...]:
    """All that is not as the test says, in the order in which it says it."""
    found: list[Difference] = []
    for key, value in expect.data.items():
        found += _SECTIONS[key](value, told) if key in _SECTIONS else ()
    return tuple(found)


def _status(expected: Value, told: Told) -> Iterator[Difference]:
    if expected.data != told.status:
        yield _differ(expected.mark, "status", expected.data, told.status + _why(told))


def _why(told: Told) -> str:
    if told.status != "failed":
        return ""
    step, kind, message = (told.failure[key] for key in ("step", "kind", "message"))
    return cut(f" (step {step}: {kind}: {message})" if step else f" ({kind}: {message})")


def _steps(expected: Value, told: Told) -> Iterator[Difference]:
    for path, value in expected.data.items():
        for each in _paths(path, told) or (path,):
            status = told.steps.get(each, NOT_REACHED)
            if status != value.data:
                error = told.errors.get(each) if status in ("failed", "unknown") else None
                got = status if error is None else f"{status} ({error[0]}: {error[1]})"
                yield _differ(value.mark, f"steps.{each}", value.data, cut(got))


def _paths(path: str, told: Told) -> tuple[str, ...]:
    """The steps that a path stands for: an id alone for those of every iteration."""
    if path in told.steps or "." in path:
        return (path,)
    return tuple(one for one in told.steps if one.rpartition(".")[2] == path)


def _outputs(expected: Value, told: Told) -> Iterator[Difference]:
    yield from _data(expected, told.outputs, "outputs")


def _data(expected: Value, got: Any, what: str) -> Iterator[Difference]:
    """JSON values: of a map only the written keys, of a list every item."""
    data = expected.data
    if isinstance(data, dict) and isinstance(got, dict):
        for key, value in data.items():
            if key in got:
                yield from _data(value, got[key], f"{what}.{key}")
            else:
                there = f"no such key (there is: {', '.join(got) or 'nothing'})"
                yield Difference(value.mark, f"{what}.{key}", shown(value.plain()), cut(there))
    elif isinstance(data, tuple) and isinstance(got, list) and len(data) == len(got):
        for at, (value, one) in enumerate(zip(data, got, strict=True)):
            yield from _data(value, one, f"{what}[{at}]")
    elif _unequal(expected.plain(), got):
        yield Difference(expected.mark, what, shown(expected.plain()), shown(got))


def _unequal(one: Any, other: Any) -> bool:
    """1 and 1.0 are the same number; true and 1 are not the same."""
    return isinstance(one, bool) != isinstance(other, bool) or bool(one != other)


def _published(expected: Value, told: Told) -> Iterator[Difference]:
    if not expected.data and (texts := [one for one in told.published if not one["own"]]):
        yield _differ(expected.mark, "published", "nothing", shown([one["title"] for one in texts]))
    yield from _in_order(expected, told.published, "published", "title", _text_differs)


def _asked(expected: Value, told: Told) -> Iterator[Difference]:
    if not expected.data and told.asked:
        yield _differ(expected.mark, "asked", "nothing", shown([one["question"] for one in told.asked]))
    yield from _in_order(expected, told.asked, "asked", "question", _data)


def _events(expected: Value, told: Told) -> Iterator[Difference]:
    yield from _in_order(expected, told.events, "events", "event", _event_differs, _is_alike)


def _event_differs(expected: Value, got: Any, what: str) -> Iterator[Difference]:
    if isinstance(expected.data, dict):
        yield from _data(expected, got, what)


def _is_alike(expected: Value, got: Any) -> bool:
    """Whether it is the same event, whatever its fields."""
    name = expected.data["event"].data if isinstance(expected.data, dict) else expected.data
    return bool(name == got["event"])


_Compare = Callable[[Value, Any, str], Iterator[Difference]]


def _in_order(
    expected: Value,
    got: list[dict[str, Any]],
    what: str,
    title: str,
    compare: _Compare,
    alike: Callable[[Value, Any], bool] = lambda *_: True,
) -> Iterator[Difference]:
    """Each expected one must be found behind the one before it; others may stand between."""
    begin = 0
    for at, value in enumerate(expected.data):
        where = f"{what}[{at}]"
        behind = [index for index in range(begin, len(got)) if alike(value, got[index])]
        tries = [(index, list(compare(value, got[index], where))) for index in behind]
        fits = next((index for index, found in tries if not found), None)
        if fits is not None:
            begin = fits + 1
        elif not tries:
            before = f"; before it: {shown([one[title] for one in got])}" if got else ""
            yield Difference(value.mark, where, shown(value.plain()), f"nothing{before}")
        else:
            yield from min(tries, key=lambda one: len(one[1]))[1]


def _text_differs(expected: Value, got: Any, what: str) -> Iterator[Difference]:
    for key, value in expected.data.items():
        where = f"{what}.{key}"
        if key == "tags":
            wanted = value.data if isinstance(value.data, tuple) else (value,)
            for tag in wanted:
                if tag.text not in got["tags"]:
                    yield _differ(tag.mark, where, f"{tag.text} among them", shown(got["tags"]))
        elif str(value.data).strip() != got[key].strip():
            yield Difference(value.mark, where, shown(value.data), shown(got[key]))


def _failure(expected: Value, told: Told) -> Iterator[Difference]:
    if told.status != "failed":
        yield _differ(expected.mark, "failure", shown(expected.plain()), f"none: the run {told.status}")
        return
    for key, value in expected.data.items():
        got = told.failure[key]
        if key == "message":
            if value.data not in got:
                yield _differ(value.mark, "failure.message", f"{shown(value.data)} in it", shown(got))
        elif value.data != got:
            yield Difference(value.mark, f"failure.{key}", shown(value.data), shown(got))


_SECTIONS: dict[str, Callable[[Value, Told], Iterator[Difference]]] = {
    "status": _status,
    "steps": _steps,
    "outputs": _outputs,
    "published": _published,
    "asked": _asked,
    "failure": _failure,
    "events": _events,
}


def _differ(mark: Mark, what: str, expected: Any, got: str) -> Difference:
    return Difference(mark, what, str(expected), got)


def shown(value: Any) -> str:
    """A value as JSON, short."""
    return cut(as_json(value))


def cut(text: str) -> str:
    """Short enough for a line."""
    return text if len(text) <= _SHOWN_MAX else text[: _SHOWN_MAX - 1] + "…"
