"""Action `log`: touches nothing; its output is its message. For trying things out and for measuring."""

from schemas.actions import ActionSpec, Call, Done, Failed, PinnedAction

SPEC = ActionSpec(
    name="log",
    description="Writes a message into the run's record and does nothing else.",
    category="enrich",
    inputs={
        "type": "object",
        "additionalProperties": False,
        "required": [],
        "properties": {"message": {"description": "Any value; it becomes the output's `message`."}},
    },
    outputs={
        "type": "object",
        "additionalProperties": False,
        "required": ["message"],
        "properties": {"message": {"description": "The message."}},
    },
    pinned=PinnedAction(name="log", repeatable=True),
)


class Log:
    """The action `log`."""

    spec = SPEC

    async def __call__(self, call: Call) -> Done | Failed:
        return Done({"message": call.arguments.get("message")})
