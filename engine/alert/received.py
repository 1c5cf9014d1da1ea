"""A producer's own JSON on the topic of alerts, as the record that a webhook would have left.

Its id is that of its first place, its endpoint what its header says.
"""

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


def received_of_json(found: JsonAlert, cause: Cause, headers: Mapping[str, bytes]) -> AlertReceived:
    """The record. `cause`: where the message stands."""
    place = first_place((cause.topic, cause.partition, cause.offset), headers)
    alert_id = alert_id_for_record(*place)
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
