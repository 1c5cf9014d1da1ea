"""A webhook's body, or a producer's record, to an `Alert`. Pure and total: no body raises.

The id, the endpoint and the source are filled in by the caller (`msgspec.structs.replace`). How bytes become
an object is in `engine.alert.decoding`, which key fills which field in `engine.alert.naming`; the whole story
with samples is told in `docs/alerts.md`.
"""

import re
from typing import Any

from msgspec.structs import replace

from engine.alert.bounding import fitting
from engine.alert.decoding import decoded, the_object
from engine.alert.facts import alert_key, is_own_event, is_recovery, summary
from engine.alert.json_text import json_value
from engine.alert.naming import NAMES, PAYLOAD_KEYS
from engine.alert.scope import alert_scope
from engine.alert.unparsable import Unparsable
from engine.alert.values import is_absent, tags_of, text_of, time_ms_of
from schemas.alerts import Alert

__all__ = [
    "Unparsable",
    "alert_key",
    "alert_scope",
    "is_own_event",
    "is_recovery",
    "normalise",
    "normalise_value",
    "sound",
    "summary",
]

_TEXT_FIELDS = tuple(
    field for field in NAMES if field not in ("body", "tag_list", "at_ms", "last_updated_ms", "org_id")
)
_TITLES = ("EVENT_TITLE", "TITLE", "ALERT_TITLE")
_TEST_TITLE = re.compile(r"\s*(?:\[[^\[\]]*\]\s*)*?\[TEST\]", re.IGNORECASE)


def normalise(body: bytes, content_type: str) -> Alert | Unparsable:
    """The alert in a webhook's body; `id` is "" until the caller gives it one."""
    payload = decoded(body, content_type)
    if isinstance(payload, Unparsable):
        return payload
    if _says_nothing(payload):
        return Unparsable("nothing in it: every value is absent or an unfilled variable such as $EVENT_TITLE")
    return fitting(_alert(payload))


def normalise_value(value: Any) -> Alert | Unparsable:
    """The alert in a decoded JSON value of a Kafka producer: the webhook's shape, or at least a title."""
    payload = the_object(value)
    if isinstance(payload, Unparsable):
        return payload
    alert = _alert(payload)
    if not (alert.title or alert.body or alert.monitor_id):
        return Unparsable("no alert: it has neither a title nor the keys of a Datadog webhook")
    return fitting(alert)


def sound(alert: Alert) -> Alert | Unparsable:
    """An alert that somebody else normalised, made safe to keep, as all that is normalised here is."""
    metadata = the_object(alert.metadata)
    if isinstance(metadata, Unparsable):
        return Unparsable(f"the metadata of the alert is {metadata.problem}")
    return fitting(alert if metadata == alert.metadata else replace(alert, metadata=metadata))


def _alert(payload: dict[str, Any]) -> Alert:
    metadata = _metadata(payload)
    found = _by_name(payload, metadata)
    texts = {field: text_of(_first(found, NAMES[field])) for field in _TEXT_FIELDS}
    return Alert(
        id="",
        **texts,
        body=_body(_first(found, NAMES["body"])),
        tag_list=tags_of(_first(found, NAMES["tag_list"])),
        at_ms=time_ms_of(_first(found, NAMES["at_ms"])),
        last_updated_ms=time_ms_of(_first(found, NAMES["last_updated_ms"])),
        org_id=text_of(_org_id(found)),
        test=any(_TEST_TITLE.match(text_of(found.get(name))) for name in _TITLES),
        metadata=metadata,
    )


def _metadata(payload: dict[str, Any]) -> dict[str, Any]:
    """The metadata object and, beside it, every top-level key that the recommended payload does not have."""
    inner = payload.get("metadata")
    if isinstance(inner, str) and inner.lstrip().startswith("{"):
        opened = the_object(json_value(inner))
        inner = inner if isinstance(opened, Unparsable) else opened
    extra = {key: value for key, value in payload.items() if key not in PAYLOAD_KEYS}
    if isinstance(inner, dict):
        return extra | inner
    return extra if is_absent(inner) else extra | {"metadata": inner}


def _by_name(payload: dict[str, Any], metadata: dict[str, Any]) -> dict[str, Any]:
    """Values that are there, by name in capitals; metadata before the top level."""
    found: dict[str, Any] = {}
    for part in (payload, metadata):
        for key, value in part.items():
            if not is_absent(value):
                found[key.upper()] = value
    return found


def _first(found: dict[str, Any], names: tuple[str, ...]) -> Any:
    for name in names:
        if name in found:
            return found[name]
    return None


def _org_id(found: dict[str, Any]) -> Any:
    """ORG_ID, or `org: {id}` as Datadog's payload has it when none was written."""
    org = found.get("ORG")
    nested = org.get("id") if isinstance(org, dict) else None
    return found.get("ORG_ID", nested)


def _body(value: Any) -> str:
    """The body keeps its blanks and line ends."""
    return value if isinstance(value, str) else text_of(value)


def _says_nothing(payload: dict[str, Any]) -> bool:
    return all(
        _says_nothing(value) if key == "metadata" and isinstance(value, dict) else is_absent(value)
        for key, value in payload.items()
    )
