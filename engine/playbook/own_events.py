"""Warns of a playbook that its own events could start again: what it posts carries tags its trigger asks for.

A monitor on Datadog's side stands between, and `engine.matching` passes over what still shows its origin; so
this is a warning. Tags with placeholders are not known here and do not count.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from engine.alert.values import split_tag
from engine.playbook.model import ActionStep, AlertTrigger, Playbook, PublishStep
from engine.playbook.problems import Problems
from engine.playbook.templates import OPENING
from engine.playbook.walking import all_steps
from engine.yaml_values import Value

_OWN_KEY, _OWN_VALUE = "source", "pulsebook"
_POST_EVENT = "datadog.post_event"


class _Post(NamedTuple):
    """Something the playbook posts: what a person calls it, and tag key to values."""

    what: str
    tags: Mapping[str, set[str]]


def check_own_events(playbook: Playbook, file: Value, problems: Problems) -> None:
    """Reports each trigger that the playbook's own events fit, at its `tags`."""
    posts = list(_posts(playbook))
    for value, trigger in zip(_trigger_values(file), playbook.alerts, strict=False):
        if not trigger.tags or not isinstance(value.data, dict):
            continue
        if _OWN_VALUE in trigger.tags.get(_OWN_KEY, ()):
            source = value.data["tags"].keys[_OWN_KEY]
            fix = "leave it out; one playbook starts another by `on.call`"
            problems.warning(source, "this asks for Pulsebook's own events, which start no playbook", fix)
        elif _about_events(trigger) and (fitting := next((p for p in posts if _fits(trigger, p)), None)):
            message = f"{fitting.what} would fit this trigger: a monitor on it could start the playbook again"
            fix = "ask for a tag that the playbook does not post, or give its events other tags"
            problems.warning(value.keys["tags"], message, fix)


def _about_events(trigger: AlertTrigger) -> bool:
    """Whether alerts of these kinds can come from a monitor on events."""
    return not trigger.kind or any("event" in kind for kind in trigger.kind)


def _fits(trigger: AlertTrigger, post: _Post) -> bool:
    return all(post.tags.get(key, set()) & set(wanted) for key, wanted in trigger.tags.items())


def _posts(playbook: Playbook) -> Iterator[_Post]:
    own = [f"{_OWN_KEY}:{_OWN_VALUE}", f"playbook:{playbook.name}"]
    for status in playbook.report:
        yield _Post(f"the event about a run that {status}", _by_key([*own, f"status:{status}"]))
    for step in all_steps(playbook):
        if isinstance(step, PublishStep):
            yield _Post(f"what the step `{step.path}` publishes", _by_key([*own, *step.tags]))
        elif isinstance(step, ActionStep) and step.action == _POST_EVENT:
            given = step.arguments.get("tags") if isinstance(step.arguments, dict) else None
            texts = [tag for tag in given if isinstance(tag, str)] if isinstance(given, list) else []
            yield _Post(f"what the step `{step.path}` posts", _by_key(texts))


def _by_key(tags: list[str]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for tag in tags:
        if OPENING not in tag:
            key, value = split_tag(tag)
            found.setdefault(key, set()).add(value)
    return found


def _trigger_values(file: Value) -> tuple[Value, ...]:
    """Where the triggers stand, in their order."""
    on = file.data.get("on") if isinstance(file.data, dict) else None
    alert = on.data.get("alert") if on is not None and isinstance(on.data, dict) else None
    if alert is None:
        return ()
    return alert.data if isinstance(alert.data, tuple) else (alert,)
