"""Playbooks and actions with boring defaults, so that a test shows only what it is about."""

from typing import Any

from engine.playbook.canonical import digest
from engine.playbook.compiled import Compiled
from engine.playbook.model import ActionStep, InputSpec, Playbook, SetStep, Step
from engine.playbook.reading import Read, read
from schemas.actions import ActionSpec, PinnedAction

_TEXT = {"type": "string"}
_BEARER = {
    "type": "object",
    "additionalProperties": False,
    "required": ["bearer"],
    "properties": {"bearer": _TEXT},
}
REQUEST = ActionSpec(
    name="http.request",
    description="One request.",
    category="enrich",
    inputs={
        "type": "object",
        "additionalProperties": False,
        "required": ["url"],
        "properties": {
            "url": {"type": "string", "minLength": 1, "description": "Where to."},
            "method": {"type": "string", "enum": ["GET", "POST"]},
            "headers": {"type": "object", "additionalProperties": _TEXT},
            "expect": {"type": "array", "items": {"type": "integer", "minimum": 100, "maximum": 599}},
            "wait_s": {"type": "number", "exclusiveMinimum": 0},
            "follow": {"type": "boolean"},
            "json": {"description": "Anything."},
            "auth": {"description": "{bearer: …} or null.", "oneOf": [_BEARER, {"type": "null"}]},
            "mode": {"type": ["string", "null"], "const": "fast"},
        },
    },
    outputs={},
    pinned=PinnedAction(
        name="http.request", repeatable=True, unrepeatable_when={"method": ["POST"]}, url_inputs=("url",)
    ),
)
POST_EVENT = ActionSpec(
    name="datadog.post_event",
    description="One event.",
    category="notify",
    inputs={"type": "object", "required": ["title"], "properties": {"title": _TEXT}},
    outputs={},
    pinned=PinnedAction(name="datadog.post_event", repeatable=False),
)
ACTIONS = {spec.name: spec for spec in (REQUEST, POST_EVENT)}


def a_playbook(*steps: Step, **more: Any) -> Playbook:
    """A playbook with some inputs, a step `pods` and a variable `healthy` before the given steps."""
    first = (ActionStep(path="pods", action="http.request"), SetStep(path="#2", values={"healthy": True}))
    inputs = {"api": InputSpec(default="https://api"), "replicas": InputSpec(type="int", default=3)}
    return Playbook(name="checkout", **{"inputs": inputs, "steps": (*first, *steps)} | more)


def a_book(*steps: Step, **more: Any) -> Compiled:
    """The same, ready to run."""
    playbook = a_playbook(*steps, **more)
    return Compiled(playbook, digest(playbook))


def read_text(text: str, **more: Any) -> Read:
    """Reads a playbook file with our two actions."""
    return read(text, "book.yaml", ACTIONS, **more)
