"""How a setting is read, checked and shown: the machinery behind `settings.py`, which says what there is.

A setting is a dataclass field made by `setting`; its metadata holds how its text is parsed, what it means,
and the names it has in the environment where they are not made from the field's own.
"""

import dataclasses
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

PREFIX = "PULSEBOOK_"

Parse = Callable[[str], Any]
"""Text to value; a ValueError's message says what is wanted, to follow "must be"."""


class SettingsError(Exception):
    """The settings cannot be used; `problems` has one sentence for each fault, and the message has all."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__(
            "\n".join(["the settings have problems:", *(f"  - {problem}" for problem in problems)])
        )
        self.problems = tuple(problems)


class SecretText:
    """A secret setting. Whatever prints it prints ***; `reveal` is for the one place that needs it."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return "***"


@dataclass(frozen=True, slots=True)
class Found:
    """What environment and file hold: values and origins by field name, and one sentence for each fault."""

    values: Mapping[str, Any]
    origins: Mapping[str, str]
    problems: list[str]


def setting(default: Any, parse: Parse, meaning: str, *names: str) -> Any:
    """A field of the settings. A callable default is called at each reading."""
    facts = {"parse": parse, "meaning": meaning, "names": names}
    if callable(default):
        return field(default_factory=default, metadata=facts)
    return field(default=default, metadata=facts)


def variables(each: "dataclasses.Field[Any]") -> tuple[str, ...]:
    """The names of a setting in the environment, the first winning."""
    return (f"{PREFIX}{each.name.upper()}", *each.metadata["names"])


def find(
    fields: list["dataclasses.Field[Any]"],
    environment: Mapping[str, str],
    file: Path | None,
    must_exist: bool,
) -> Found:
    """Reads every field from the environment, else the file. An empty variable counts as absent."""
    problems: list[str] = []
    noted = _read_file(file, must_exist, fields, problems) if file else {}
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for each in fields:
        origin = next((name for name in variables(each) if environment.get(name)), None)
        raw = noted.get(each.name) if origin is None else environment[origin]
        if raw is None:
            continue
        origins[each.name] = origin or f"{file}: {each.name}"
        try:
            values[each.name] = each.metadata["parse"](raw)
        except ValueError as wanted:
            but_is = "" if each.metadata["parse"] is secret else f", not {raw!r}"
            problems.append(f"{origins[each.name]} must be {wanted}{but_is}")
    return Found(values, origins, problems)


def _read_file(
    file: Path, must_exist: bool, fields: list["dataclasses.Field[Any]"], problems: list[str]
) -> dict[str, str]:
    """The file's settings by field name, as the environment would say them."""
    try:
        content = tomllib.loads(file.read_text())
    except FileNotFoundError:
        if must_exist:
            problems.append(f"{file} does not exist")
        return {}
    except (OSError, ValueError) as broken:
        problems.append(f"{file} cannot be read: {broken}")
        return {}
    field_names = {name: each.name for each in fields for name in (each.name, *variables(each))}
    noted: dict[str, str] = {}
    for key, value in content.items():
        if key not in field_names:
            problems.append(f"{file}: there is no setting {key!r}")
        elif isinstance(value, dict):
            problems.append(f"{file}: {key} must be a plain value, not a table")
        else:
            noted[field_names[key]] = shown(tuple(value) if isinstance(value, list) else value)
    return noted


def shown(value: Any) -> str:
    """A value as a person would write it; secrets as ***."""
    match value:
        case None:
            return ""
        case bool():
            return "on" if value else "off"
        case tuple():
            return ",".join(map(str, value))
        case _:
            return str(value)


def text(value: str) -> str:
    return value


def number(least: int, most: int) -> Parse:
    def parse(value: str) -> int:
        if not (value.isascii() and value.isdecimal() and len(value) < 20 and least <= int(value) <= most):
            raise ValueError(f"a whole number from {least} to {most}")
        return int(value)

    return parse


def kept_days(value: str) -> int | None:
    if value == "forever":
        return None
    try:
        return int(number(1, 36_500)(value))
    except ValueError as wrong:
        raise ValueError(f"{wrong}, or forever") from wrong


def choice(*allowed: str) -> Parse:
    def parse(value: str) -> str:
        if value.upper() not in allowed:
            raise ValueError("one of " + ", ".join(allowed))
        return value.upper()

    return parse


def on_or_off(value: str) -> bool:
    known = {"on": True, "true": True, "1": True, "off": False, "false": False, "0": False}
    if value.lower() not in known:
        raise ValueError("on or off")
    return known[value.lower()]


def url(value: str) -> str:
    try:
        parts = urlsplit(value)
        fine = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fine = False
    if not fine:
        raise ValueError("an address that begins with http:// or https://")
    return value.rstrip("/")


def servers(value: str) -> str:
    """HOST:PORT, several of them with commas between."""
    parts = [part.strip().rpartition(":") for part in value.split(",")]
    if not all(host and port.isdecimal() and 0 < int(port) < 65_536 for host, _, port in parts):
        raise ValueError("HOST:PORT, several of them with commas between")
    return ",".join(f"{host}:{port}" for host, _, port in parts)


def hosts(value: str) -> tuple[str, ...]:
    return tuple(host for host in (part.strip().lower() for part in value.split(",")) if host)


def path(value: str) -> Path:
    try:
        return Path(value).expanduser()
    except RuntimeError:
        raise ValueError("a path whose home folder exists; there is no such user's here") from None


def secret(value: str) -> SecretText:
    return SecretText(value)


def topic_prefix(value: str) -> str:
    if len(value) > 100 or not all(
        letter.isascii() and (letter.isalnum() or letter in "._-") for letter in value
    ):
        raise ValueError("at most 100 letters, digits, dots, hyphens or underscores")
    return value
