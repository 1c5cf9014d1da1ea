"""An alert as match takes it, whatever its producer wrote: our own record, JSON, or Confluent's Avro.

How bytes are told apart is `schemas.alerts_wire`; what a JSON value means is `engine.alert.producing`.
"""

from collections.abc import Awaitable, Callable

from faust.types import Message

from engine.alert.producing import received_from_json
from schemas.alerts import AlertReceived
from schemas.alerts_wire import ConfluentAlert, resolved, sniff
from schemas.confluent import WriterSchema
from schemas.errors import MalformedMessage
from schemas.outgoing import Cause
from streams.inbound import headers_of


async def received_of(
    message: Message, cause: Cause, schema_of: Callable[[int], Awaitable[WriterSchema]] | None
) -> AlertReceived:
    """The alert of a message. Raises MalformedMessage for bytes that nobody can read, and SchemaUnavailable
    for those that nobody can read now.
    """
    found = sniff(message.value)
    if isinstance(found, ConfluentAlert):
        if schema_of is None:
            raise MalformedMessage("a message in Confluent framing, and no schema registry is set")
        try:
            schema = await schema_of(found.schema_id)
        except MalformedMessage as failure:
            reason = f"the schema {found.schema_id} was not found in the registry: {failure}"
            raise MalformedMessage(reason) from failure
        found = resolved(found, schema)
    if isinstance(found, AlertReceived):
        return found
    return received_from_json(found, cause, headers_of(message))
