"""What an expression can see of an alert: the `alert.*` names and their values. Types are in
`engine.playbook.names`.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from engine.alert.values import split_tag
from schemas.alerts import Alert

ALERT_TEXTS = (
    "id",
    "endpoint",
    "source",
    "title",
    "body",
    "text",
    "kind",
    "type",
    "transition",
    "priority",
    "monitor_id",
    "monitor_name",
    "cycle_key",
    "aggregation_key",
    "scope",
    "metric",
    "query",
    "host",
    "link",
    "snapshot",
    "org_id",
    "event_id",
)
_NAMES = tuple((f"alert.{name}", name) for name in ALERT_TEXTS)


def alert_scope(alert: Alert) -> dict[str, Any]:
    """Every `alert.*` name with its value; what the alert lacks is "" or empty.

    `alert.tags` and `alert.group` map a key to its value, or to the list of its values where a tag has
    several (looking one of those up is an error, so that no expression silently takes the wrong one).
    """
    scope: dict[str, Any] = {name: getattr(alert, field) for name, field in _NAMES}
    scope["alert.tags"] = tag_map(alert.tag_list)
    scope["alert.group"] = tag_map(group_of(alert))
    scope["alert.tag_list"] = list(alert.tag_list)
    scope["alert.at"] = timestamp(alert.at_ms)
    scope["alert.last_updated"] = timestamp(alert.last_updated_ms)
    scope["alert.test"] = alert.test
    scope["alert.metadata"] = alert.metadata
    return scope


def tag_map(tags: Iterable[str]) -> dict[str, str | list[str]]:
    """Key to value, or to the different values in their order. A bare tag has the value ""."""
    several: dict[str, list[str]] = {}
    for tag in tags:
        key, value = split_tag(tag)
        values = several.setdefault(key, [])
        if value not in values:
            values.append(value)
    return {key: values[0] if len(values) == 1 else values for key, values in several.items()}


def group_of(alert: Alert) -> list[str]:
    """The tags of ALERT_SCOPE: the group that fired (`*` is no group). Keys may begin with `@` (log
    attributes).
    """
    parts = (part.strip() for part in alert.scope.split(","))
    return [part for part in parts if part and part != "*"]


def timestamp(at_ms: int) -> str:
    """Epoch milliseconds as RFC 3339 text in UTC; "" for 0, which says that no time was given."""
    if not at_ms:
        return ""
    at = datetime.fromtimestamp(at_ms / 1_000, UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
