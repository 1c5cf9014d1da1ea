"""Topic `dead-letters`: what could not be handled, as it came, with the reason."""

from typing import Annotated

from schemas.fields import Record, doc


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
