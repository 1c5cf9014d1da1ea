"""The alert of a Kafka producer that wrote JSON of its own: its id is its place, its endpoint a header's."""

from collections.abc import Mapping

from msgspec.structs import replace

from engine.alert.normalising import normalise_value
from engine.alert.unparsable import Unparsable
from schemas.alerts import AlertReceived
from schemas.alerts_wire import JsonAlert
from schemas.ids import alert_id_for_record
from schemas.outgoing import Cause
from schemas.redriven import first_place

ENDPOINT_HEADER = "endpoint"


def received_from_json(found: JsonAlert, cause: Cause, headers: Mapping[str, bytes]) -> AlertReceived:
    """The record that a web process would have written of it. `cause`: where it stands on `alerts`.

    It has the id of its first place, also where it was put back from the dead letters, and the endpoint that
    its header names.
    """
    alert_id = alert_id_for_record(*first_place((cause.topic, cause.partition, cause.offset), headers))
    endpoint = headers.get(ENDPOINT_HEADER, b"").decode(errors="replace")
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
