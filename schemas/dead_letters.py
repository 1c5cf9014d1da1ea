"""Topic `dead-letters`: what could not be handled, as it came, and why; what was done about it."""

from typing import Annotated, Literal

from schemas.fields import Record, doc

VALUE_BYTES_MAX = 800 * 1024
"""A longer value is cut: a dead letter must fit into a record itself. What was cut cannot be put back."""


INTERNAL = "an error inside Pulsebook: "
"""How the reason begins of what is a fault of ours; behind it stands where, which another version may say
otherwise."""


class DeadLetter(Record, frozen=True, kw_only=True):
    """One message that nobody could handle. Its key on the topic is the original key."""

    topic: Annotated[str, doc("Topic it was read from, without the prefix.")]
    partition: Annotated[int, doc("Partition.")]
    offset: Annotated[int, doc("Offset.")]
    at_ms: Annotated[int, doc("Broker timestamp of the message.")]
    key: Annotated[bytes | None, doc("Key as it came.")] = None
    value: Annotated[bytes | None, doc("Value as it came, cut at 800 KiB.")] = None
    headers: Annotated[dict[str, bytes], doc("Headers as they came.")] = {}
    stage: Annotated[str, doc("Who gave up: match, admit, advance, executor, notify, web.")]
    reason: Annotated[str, doc("What is wrong, for a person.")]
    detail: Annotated[str, doc("Where in the code, for a developer; no values.")] = ""


class DeadLetterHandled(Record, frozen=True, kw_only=True):
    """Somebody dealt with a dead letter. It stands in the letter's partition, under the letter's key."""

    partition: Annotated[int, doc("Partition of the letter on `dead-letters`.")]
    offset: Annotated[int, doc("Offset of the letter on `dead-letters`.")]
    outcome: Annotated[
        Literal["redriven", "dropped"],
        doc("redriven: put back where it came from. dropped: nothing more to do."),
    ]
    actor: Annotated[str, doc("Who.")]
    at_ms: Annotated[int, doc("When (the writer's clock).")]
    reason: Annotated[str, doc("Why.")] = ""
    topic: Annotated[str, doc("Topic it was put back onto, without the prefix; empty when dropped.")] = ""
    to_partition: Annotated[int | None, doc("Partition where it lies again; null when dropped.")] = None
    to_offset: Annotated[int | None, doc("Offset where it lies again; null when dropped.")] = None
