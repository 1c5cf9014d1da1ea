"""Takes the keys of one mapping as typed values, and reports whatever is wrong with them.

Every method gives a usable value, if need be the default, so that one reading finds all problems of a file.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from engine.playbook.durations import as_duration, duration_ms
from engine.playbook.key_tables import Section
from engine.playbook.problems import Problems, nearest
from engine.yaml_values import Mark, Value

_KINDS = {
    str: "text",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    tuple: "a list",
    dict: "a map",
}


def kind_of(value: Value) -> str:
    """What a value is, in words."""
    return "nothing" if value.data is None else _KINDS[type(value.data)]


class Fields:
    """The keys of one mapping, of which only those of its section are known."""

    def __init__(
        self, value: Value | None, section: Section, problems: Problems, mark: Mark | None = None
    ) -> None:
        self.problems = problems
        self.section = section
        self.mark = mark or (value.mark if value is not None else Mark(1, 1))
        self.items: dict[str, Value] = {}
        self._keys: dict[str, Mark] = {}
        if value is None:
            return
        if not isinstance(value.data, dict):
            known = ", ".join(section.names)
            problems.error(
                value.mark, f"{section.title} is a map, and this is {kind_of(value)}", f"its keys: {known}"
            )
            return
        self.items, self._keys = value.data, value.keys
        self._check_names()

    def _check_names(self) -> None:
        for name in self.items:
            if name in self.section.later:
                message = f"`{name}` of {self.section.title} is not supported yet"
                self.problems.error(self._keys[name], message, self.section.later[name])
            elif name not in self.section.names:
                message = f"{self.section.title} has no key `{name}`"
                self.problems.error(self._keys[name], message, nearest(name, self.section.names))

    def __contains__(self, name: str) -> bool:
        return name in self.items

    def key_mark(self, name: str) -> Mark:
        """Where the key stands, or the mapping where it is not given."""
        return self._keys.get(name, self.mark)

    def value(self, name: str) -> Value | None:
        """The value as it is, None where the key is not given."""
        return self.items.get(name)

    def wrong(self, name: str, should: str, fix: str = "") -> None:
        """Reports a value of the wrong type."""
        value = self.items[name]
        mark = value.mark if value.data is not None else self._keys[name]
        self.problems.error(mark, f"`{name}` should be {should}, and is {kind_of(value)}", fix)

    def missing(self, name: str, fix: str = "") -> None:
        """Reports a key that must be there."""
        self.problems.error(self.mark, f"{self.section.title} needs the key `{name}`", fix)

    def text(self, name: str, default: str = "") -> str:
        """Text; a number or a bool is refused, as it may not mean what it says."""
        value = self.items.get(name)
        if value is None:
            return default
        if isinstance(value.data, str):
            return value.data
        scalar = isinstance(value.data, bool | int | float)
        self.wrong(name, "text", f'write "{value.text}"' if scalar else "")
        return default

    def flag(self, name: str, default: bool | None) -> bool | None:
        """true or false."""
        value = self.items.get(name)
        if value is None:
            return default
        if isinstance(value.data, bool):
            return value.data
        self.wrong(name, "true or false", "write true or false" if isinstance(value.data, str) else "")
        return default

    def number(self, name: str, default: Any, low: float, high: float, *, whole: bool = True) -> Any:
        """A number in bounds, whole or any."""
        value = self.items.get(name)
        if value is None:
            return default
        data = value.data
        if isinstance(data, bool) or not isinstance(data, int if whole else int | float):
            self.wrong(name, "a whole number" if whole else "a number", f"{low:g} to {high:g}")
        elif not low <= data <= high:
            self.problems.error(value.mark, f"`{name}` is {data:g}, out of range", f"{low:g} to {high:g}")
        else:
            return data
        return default

    def duration(self, name: str, default_ms: int, low_ms: int, high_ms: int) -> int:
        """Milliseconds of a duration in bounds."""
        value = self.items.get(name)
        if value is None:
            return default_ms
        if isinstance(value.data, int | float) and not isinstance(value.data, bool):
            self.wrong(name, "a duration", f"{value.text} of what? Write {value.text}s or {value.text}m")
            return default_ms
        if not isinstance(value.data, str):
            self.wrong(name, "a duration", "such as 30s, 15m or 1h30m")
            return default_ms
        ms = duration_ms(value.data.strip())
        if ms is None:
            message = f"`{name}` should be a duration, and is {value.data!r}"
            self.problems.error(value.mark, message, "such as 500ms, 30s, 15m, 1h30m or 2d")
        elif not low_ms <= ms <= high_ms:
            bounds = f"{as_duration(low_ms)} to {as_duration(high_ms)}"
            self.problems.error(value.mark, f"`{name}` is {value.data}, out of range", bounds)
        else:
            return ms
        return default_ms

    def choice(self, name: str, options: tuple[str, ...], default: str) -> Any:
        """One of some words. Typed Any, for the callers' Literals."""
        value = self.items.get(name)
        if value is None:
            return default
        if isinstance(value.data, str) and value.data in options:
            return value.data
        known = ", ".join(options)
        if isinstance(value.data, str):
            fix = nearest(value.data, options, f"one of {known}")
            self.problems.error(value.mark, f"`{name}` cannot be {value.data!r}", fix)
        else:
            self.wrong(name, "one word", f"one of {known}")
        return default

    def texts(self, name: str, default: tuple[str, ...] = ()) -> tuple[str, ...]:
        """One text or a list of them. Numbers and bools are taken as they are written."""
        value = self.items.get(name)
        if value is None:
            return default
        return tuple(self.texts_of(name, value))

    def texts_of(self, name: str, value: Value) -> Iterator[str]:
        """The same for a value that stands elsewhere under `name`."""
        for item in value.data if isinstance(value.data, tuple) else (value,):
            if "${{" in item.text:
                self.problems.error(item.mark, f"`{name}` takes no `${{{{ }}}}`", "write the text itself")
            elif isinstance(item.data, str | int | float):
                yield item.text
            else:
                fix = (
                    "write it in quotes if it is text" if item.data is None else "one text or a list of texts"
                )
                self.problems.error(item.mark, f"`{name}` should be text, and is {kind_of(item)}", fix)

    def strings(self, name: str) -> tuple[Value, ...]:
        """A list of text, as values; anything else is reported."""
        value = self.items.get(name)
        if value is None:
            return ()
        if not isinstance(value.data, tuple):
            self.wrong(name, "a list", "write [a, b], or one a line with `- `")
            return ()
        for item in value.data:
            if not isinstance(item.data, str):
                self.problems.error(item.mark, f"`{name}` should hold text, and here is {kind_of(item)}")
        return tuple(item for item in value.data if isinstance(item.data, str))

    def map(self, name: str) -> Value | None:
        """A map; anything else is reported."""
        value = self.items.get(name)
        if value is None or isinstance(value.data, dict):
            return value
        self.wrong(name, "a map", "write `key: value` lines below it")
        return None

    def unknown_values(self, name: str, given: Iterable[str], known: Iterable[str], what: str) -> None:
        """Warns of words that look like a slip of a known one."""
        for word in given:
            if word not in known:
                self.problems.warning(
                    self.items[name].mark, f"{what} `{word}` is not known", nearest(word, known)
                )
