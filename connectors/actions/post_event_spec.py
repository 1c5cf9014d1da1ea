"""What `datadog.post_event` is, declared. How it posts is in `post_event`."""

from schemas.actions import ActionSpec, PinnedAction

SPEC = ActionSpec(
    name="datadog.post_event",
    description="Posts an event to the Datadog event stream and returns its id.",
    category="notify",
    inputs={
        "type": "object",
        "additionalProperties": False,
        "required": ["title", "text"],
        "properties": {
            "title": {"type": "string", "minLength": 1, "description": "Title; cut at 100 characters."},
            "text": {
                "type": "string",
                "description": "Text (Markdown between %%%); cut at 4000 characters.",
            },
            "tags": {
                "type": "array",
                "items": {"type": "string"},
                "description": "Tags.",
            },
            "alert_type": {
                "type": "string",
                "enum": ["info", "success", "warning", "error"],
                "default": "info",
                "description": "Its status in Datadog.",
            },
            "priority": {"type": "string", "enum": ["normal", "low"], "default": "normal"},
            "host": {"type": "string", "description": "Host it is about."},
            "aggregation_key": {"type": "string", "description": "Groups events; cut at 100 characters."},
            "mentions": {
                "type": "boolean",
                "default": False,
                "description": "Let `@name` notify people; else made harmless, as texts echo alerts.",
            },
        },
    },
    outputs={
        "type": "object",
        "additionalProperties": False,
        "required": ["id", "url"],
        "properties": {
            "id": {"type": "string", "description": "Datadog's id of the event, as text."},
            "url": {"type": "string", "description": "Where Datadog shows it; empty where it did not say."},
        },
    },
    # Datadog has no idempotency key: a repeated post is a second event.
    pinned=PinnedAction(name="datadog.post_event", repeatable=False),
)
