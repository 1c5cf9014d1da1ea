"""An alert with boring defaults; a test names only what it is about."""

from typing import Any

from schemas.alerts import Alert

BORING: dict[str, Any] = {
    "id": "a-1",
    "endpoint": "datadog-prod",
    "title": "[Triggered on {service:checkout}] Checkout latency is high",
    "kind": "query_alert_monitor",
    "type": "error",
    "transition": "Triggered",
    "monitor_id": "12345",
    "cycle_key": "cycle-1",
    "scope": "service:checkout",
    "tag_list": ("monitor", "service:checkout", "env:prod"),
    "last_updated_ms": 1_795_316_672_000,
}


def an_alert(**fields: Any) -> Alert:
    return Alert(**BORING | fields)


def a_recovery(**fields: Any) -> Alert:
    """The recovery of the same cycle, five minutes later."""
    recovered = {
        "id": "a-recovered",
        "title": "[Recovered on {service:checkout}] Checkout latency is high",
        "type": "success",
        "transition": "Recovered",
        "last_updated_ms": 1_795_316_972_000,
    }
    return an_alert(**recovered | fields)
