"""Single records fetched from their topic: the read model only knows their place."""

import logging

import msgspec

from console.parts import Parts
from console.problems import Problem
from console.read_model.alerts import alert_row
from console.read_model.log import LogRecord
from engine.alert.normalising import Unparsable, normalise_value
from schemas.alerts import Alert, AlertReceived
from schemas.alerts_wire import JsonAlert, sniff
from schemas.errors import SchemasError
from schemas.topics import ALERTS, Topic

log = logging.getLogger("pulsebook.web")


async def fetched(parts: Parts, topic: Topic, partition: int, offset: int) -> LogRecord | None:
    """The record at a place of a topic; None where it is no longer kept. Raises Problem 503."""
    if parts.archive is None:
        raise Problem(503, "this process does not read topics")
    try:
        return await parts.archive.at(topic.name, partition, offset)
    except Exception as error:
        # Whatever the reader's trouble is, there is one thing to say: it cannot be had now.
        log.warning("cannot fetch %s/%d/%d: %s", topic.name, partition, offset, error)
        raise Problem(503, f"the topic {topic.name} cannot be read at the moment") from error


async def fetched_alert(
    parts: Parts, alert_id: str, partition: int, offset: int, endpoint: str
) -> AlertReceived | None:
    """The alert at a place of `alerts`; None where it is no longer kept.

    What a Kafka producer wrote is given the form of a webhook's record, from the endpoint that its header
    named when it was matched; framed Avro keeps its bytes alone.
    """
    record = await fetched(parts, ALERTS, partition, offset)
    if record is None or record.value is None:
        return None
    made = AlertReceived(alert_id=alert_id, endpoint=endpoint, received_at_ms=record.at_ms, raw=record.value)
    try:
        found = sniff(record.value)
    except SchemasError as error:
        return msgspec.structs.replace(made, problem=str(error))
    if isinstance(found, AlertReceived):
        return found
    if not isinstance(found, JsonAlert):
        return msgspec.structs.replace(made, problem="framed Avro: shown as it came")
    read = normalise_value(found.value)
    if isinstance(read, Unparsable):
        return msgspec.structs.replace(made, problem=read.problem)
    alert = msgspec.structs.replace(read, id=alert_id, endpoint=endpoint, source="kafka")
    return msgspec.structs.replace(made, alert=alert)


async def recorded_alert(parts: Parts, alert_id: str) -> Alert:
    """A recorded alert, to start a playbook with. Raises Problem 404 or 422."""
    model = parts.read_model
    row = await model.query(lambda connection: alert_row(connection, alert_id)) if model else None
    if row is None:
        raise Problem(
            404, f"no alert {alert_id[:100]} is known; one that was just sent takes a moment to be read"
        )
    found = await fetched_alert(parts, alert_id, row["partition"], row["offset"], row["endpoint"])
    if found is None:
        raise Problem(404, f"the alert {alert_id} is no longer kept")
    if found.alert is None:
        raise Problem(422, f"the alert {alert_id} cannot be read: {found.problem}")
    return found.alert
