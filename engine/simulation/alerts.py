"""The alert of a test: fields by the names that expressions see, made into the alert that a run is given."""

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

from msgspec.structs import replace

from engine.alert.facts import TRIGGERED
from engine.alert.scope import ALERT_TEXTS
from engine.matching import match
from engine.playbook.compiled import Compiled
from engine.playbook.fields import Fields, kind_of
from engine.playbook.model import AlertTrigger
from engine.playbook.problems import Problems
from engine.simulation.keys import ALERT
from engine.yaml_values import Value
from schemas.alerts import Alert


def read_alert(value: Value, problems: Problems) -> Alert:
    """The alert as it is written; its id is `test-alert` unless given."""
    fields = Fields(value, ALERT, problems)
    given: dict[str, Any] = {name: _text(fields, name) for name in ALERT_TEXTS if name in fields}
    given.setdefault("id", "test-alert")
    for names in (("tags", "tag_list"), ("group", "scope")):
        if all(name in fields for name in names):
            problems.error(
                fields.key_mark(names[0]), f"`{names[0]}` and `{names[1]}` say the same", "keep one"
            )
    tags = fields.texts("tag_list") if "tag_list" in fields else _tags(fields, "tags")
    if "group" in fields:
        given["scope"] = ",".join(_tags(fields, "group"))
    metadata = fields.map("metadata")
    return Alert(
        **given,
        tag_list=tags,
        at_ms=_time(fields, "at"),
        last_updated_ms=_time(fields, "last_updated"),
        test=bool(fields.flag("test", False)),
        metadata={} if metadata is None else metadata.plain(),
    )


_ASKED = ("endpoint", "kind", "monitor_id", "priority")
"""Fields of an alert that `on.alert` may ask for by value, beside tags and transition."""


def as_asked(alert: Alert, given: Collection[str], book: Compiled) -> Alert:
    """The alert with what the test does not say of it as the playbook's trigger asks: its endpoint, kind,
    monitor, priority and transition. `given`: the names that the test says.

    Of several triggers, the first that the alert then fits.
    """
    made = [replace(alert, **_asked(trigger, given)) for trigger in book.playbook.alerts]
    fitting = (one for one in made if any(looked.matched for looked in match(one, (book,))))
    return next(fitting, made[0] if made else alert)


def _asked(trigger: AlertTrigger, given: Collection[str]) -> dict[str, str]:
    wanted = {name: getattr(trigger, name.removesuffix("_id")) for name in _ASKED}
    if TRIGGERED not in trigger.transition:  # which one without a transition counts as
        wanted["transition"] = trigger.transition
    return {name: values[0] for name, values in wanted.items() if values and name not in given}


def _text(fields: Fields, name: str) -> str:
    """Text; a number is taken as it is written (monitor ids look like numbers)."""
    value = fields.items[name]
    if isinstance(value.data, str | int | float):
        return value.text
    fields.wrong(name, "text")
    return ""


def _tags(fields: Fields, name: str) -> tuple[str, ...]:
    """`key:value` of each, in the order of the file; a tag without a value is bare."""
    tags: list[str] = []
    found = fields.map(name)
    for key, value in ({} if found is None else found.data).items():
        for one in value.data if isinstance(value.data, tuple) else (value,):
            if isinstance(one.data, tuple | dict):
                message = f"the tag `{key}` should be text, and is {kind_of(one)}"
                fields.problems.error(one.mark, message, "one text or a list of texts")
            else:
                tags.append(f"{key}:{one.text}" if one.data is not None and one.text else key)
    return tuple(tags)


def _time(fields: Fields, name: str) -> int:
    text = fields.text(name)
    if not text:
        return 0
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        fields.wrong(name, "a time", "such as 2026-01-31T12:00:00Z")
        return 0
    return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1_000)
