"""An alert as match takes it, whatever its producer wrote: our own record, JSON, or Confluent's Avro.

How bytes are told apart is `schemas.alerts_wire`; what a JSON value means is `engine.alert`.
"""

from collections.abc import Awaitable, Callable

from faust.types import Message
from msgspec.structs import replace

from engine.alert.normalising import normalise_value
from engine.alert.unparsable import Unparsable
from schemas.alerts import AlertReceived
from schemas.alerts_wire import ConfluentAlert, JsonAlert, resolved, sniff
from schemas.confluent import WriterSchema
from schemas.errors import MalformedMessage
from schemas.ids import alert_id_for_record
from schemas.outgoing import Cause
from schemas.redriven import first_place
from streams.inbound import headers_of

ENDPOINT_HEADER = "endpoint"


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
    return found if isinstance(found, AlertReceived) else _of_json(found, message, cause)


def _of_json(found: JsonAlert, message: Message, cause: Cause) -> AlertReceived:
    """A producer's own JSON: it has the id of its first place, and the endpoint that its header names."""
    place = first_place((cause.topic, cause.partition, cause.offset), headers_of(message))
    alert_id = alert_id_for_record(*place)
    endpoint = _header(message, ENDPOINT_HEADER)
    alert = normalise_value(found.value)
    problem = alert.problem if isinstance(alert, Unparsable) else ""
    return AlertReceived(
        alert_id=alert_id,
        endpoint=endpoint,
        received_at_ms=cause.at_ms,
        content_type="application/json",
        raw=found.raw,
        alert=None
        if isinstance(alert, Unparsable)
        else replace(alert, id=alert_id, endpoint=endpoint, source="kafka"),
        problem=problem,
    )


def _header(message: Message, name: str) -> str:
    return headers_of(message).get(name, b"").decode(errors="replace")
