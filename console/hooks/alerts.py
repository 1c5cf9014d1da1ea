"""A webhook's body becomes a record on `alerts`: normalised where it can be read, kept raw in any case."""

import base64
import secrets
import time
from dataclasses import dataclass

import msgspec

from console.parts import Parts
from console.writing import durably
from engine.alert.normalising import Unparsable, alert_key, normalise
from schemas import codec
from schemas.alerts import AlertReceived
from schemas.errors import SchemasError
from schemas.ids import alert_id_for_body
from schemas.outgoing import Outgoing
from schemas.topics import ALERTS

SURELY_FITS_BYTES = 100 * 1024
"""A body up to here makes no record beyond the limit: it is in it at most a few times."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """An alert that is durable."""

    alert_id: str
    parsed: bool
    received_at_ms: int
    partition: int
    offset: int


async def accept(parts: Parts, endpoint: str, body: bytes, content_type: str, within_s: float) -> Accepted:
    """Make the alert durable. Raises NotDurable."""
    received = received_alert(endpoint, body, content_type)
    try:
        received = fitted(received, parts.settings.record_bytes_max)
        sent = await durably(parts, outgoing(received), within_s)
    except SchemasError as error:
        received = msgspec.structs.replace(received, alert=None, problem=str(error))
        sent = await durably(parts, outgoing(received), within_s)
    return Accepted(
        received.alert_id, received.alert is not None, received.received_at_ms, sent.partition, sent.offset
    )


def received_alert(endpoint: str, body: bytes, content_type: str) -> AlertReceived:
    """The record. Its id is a hash where the body carries an event id, so that a redelivery has the same
    one.
    """
    at_ms = time.time_ns() // 1_000_000
    read = normalise(body, content_type)
    if isinstance(read, Unparsable):
        return AlertReceived(
            alert_id=new_alert_id(),
            endpoint=endpoint,
            received_at_ms=at_ms,
            content_type=content_type,
            raw=body,
            problem=read.problem,
        )
    alert_id = alert_id_for_body(endpoint, body) if read.event_id else new_alert_id()
    return AlertReceived(
        alert_id=alert_id,
        endpoint=endpoint,
        received_at_ms=at_ms,
        content_type=content_type,
        raw=body,
        alert=msgspec.structs.replace(read, id=alert_id, endpoint=endpoint, source="webhook"),
    )


def fitted(received: AlertReceived, bytes_max: int) -> AlertReceived:
    """The record, without its normalised form where that makes it too large. Raises SchemasError."""
    if len(received.raw) <= SURELY_FITS_BYTES or (size := len(codec.encode(received))) <= bytes_max:
        return received
    problem = f"too large once it is normalised: {size} bytes, allowed are {bytes_max}"
    return msgspec.structs.replace(received, alert=None, problem=problem)


def outgoing(received: AlertReceived) -> Outgoing:
    """The record on its way. What cannot be read has its own id for a key."""
    key = alert_key(received.alert) if received.alert else received.alert_id
    return Outgoing(ALERTS, key, received)


def new_alert_id() -> str:
    """An id for a body without an identity of its own; of the form that `schemas.ids` gives."""
    return "a-" + base64.b32encode(secrets.token_bytes(15)).decode().lower()
