"""Which key of a payload fills which field of an alert. The one table; `docs/alerts.md` shows it.

Names are compared in capitals, so `alert_id`, `ALERT_ID` and `Alert_Id` are one. The first of a field's names
that has a value wins; for one name, `metadata` goes before the top level.
"""

NAMES: dict[str, tuple[str, ...]] = {
    "title": ("EVENT_TITLE", "TITLE", "ALERT_TITLE"),
    "body": ("EVENT_MSG", "BODY", "MESSAGE"),
    "text": ("TEXT_ONLY_MSG", "TEXT"),
    "kind": ("EVENT_TYPE", "KIND"),
    "type": ("ALERT_TYPE", "TYPE"),
    "transition": ("ALERT_TRANSITION", "TRANSITION"),
    "priority": ("ALERT_PRIORITY", "PRIORITY"),
    "monitor_id": ("ALERT_ID", "MONITOR_ID"),
    "monitor_name": ("ALERT_TITLE", "MONITOR_NAME"),
    "cycle_key": ("ALERT_CYCLE_KEY", "CYCLE_KEY"),
    "aggregation_key": ("AGGREG_KEY", "AGGREGATION_KEY"),
    "scope": ("ALERT_SCOPE", "SCOPE"),
    "tag_list": ("TAGS",),
    "metric": ("ALERT_METRIC", "METRIC"),
    "query": ("ALERT_QUERY", "QUERY"),
    "host": ("HOSTNAME", "HOST"),
    "link": ("LINK", "URL"),
    "snapshot": ("SNAPSHOT",),
    "at_ms": ("DATE", "AT"),
    "last_updated_ms": ("LAST_UPDATED",),
    "org_id": ("ORG_ID",),
    "event_id": ("ID", "EVENT_ID"),
}

PAYLOAD_KEYS = ("body", "title", "date", "id", "metadata")
"""Top-level keys of the recommended payload; every other top-level key counts as metadata."""

_VARIABLES = frozenset(
    {
        "AGGREG_KEY",
        "ALERT_CYCLE_KEY",
        "ALERT_ID",
        "ALERT_METRIC",
        "ALERT_PRIORITY",
        "ALERT_QUERY",
        "ALERT_SCOPE",
        "ALERT_STATUS",
        "ALERT_TITLE",
        "ALERT_TRANSITION",
        "ALERT_TYPE",
        "DATE",
        "EMAIL",
        "EVENT_MSG",
        "EVENT_TITLE",
        "EVENT_TYPE",
        "HOSTNAME",
        "ID",
        "LAST_UPDATED",
        "LINK",
        "LOGS_SAMPLE",
        "METRIC_NAMESPACE",
        "ORG_ID",
        "ORG_NAME",
        "PRIORITY",
        "SNAPSHOT",
        "TAGS",
        "TEXT_ONLY_MSG",
        "USER",
        "USERNAME",
    }
)
"""The 28 of the recommended payload, and ALERT_PRIORITY and DATE."""
_FAMILIES = ("INCIDENT_", "SECURITY_", "SYNTHETICS_")


def is_known_key(key: str) -> bool:
    """Whether a key is one of the payload's own or a Datadog variable's name, letter for letter."""
    return key in _VARIABLES or key in PAYLOAD_KEYS or key.startswith(_FAMILIES)
