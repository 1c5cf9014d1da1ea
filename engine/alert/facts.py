"""What follows from an alert: its key, its cycle, whether it is a recovery or an event of our own, its
summary.
"""

import re

from schemas.alerts import Alert, AlertSummary

OWN_SOURCE = "source:pulsebook"
OWN_TAG = "pulsebook_id:"
"""Every event that the sink posts carries a tag with this beginning."""
TRIGGERED, RECOVERED = "Triggered", "Recovered"
_SUMMARY_CHARS_MAX = 300
_RECOVERED_TITLE = re.compile(r"\s*(?:\[[^\[\]]*\]\s*)*?\[(?:[\w -]+ )?recovered\b", re.IGNORECASE)


def alert_key(alert: Alert) -> str:
    """The record key on `alerts`: the alert's cycle, else its id. A hint for order, no identity."""
    return cycle_of(alert) or alert.id


def cycle_of(alert: Alert) -> str:
    """What a trigger and its recovery have in common; "" where the payload says nothing of the kind."""
    if alert.cycle_key:
        return alert.cycle_key
    if alert.monitor_id:
        return f"{alert.monitor_id}/{alert.scope}"
    return alert.aggregation_key


def happened_ms(alert: Alert) -> int:
    """When the alert changed, by its sender's clock: LAST_UPDATED, else DATE, else 0."""
    return alert.last_updated_ms or alert.at_ms


def is_recovery(alert: Alert) -> bool:
    """Whether the alert says that its cycle is over: the transition decides, whatever title and type say.

    Recovered, Warn Recovered, No Data Recovered and the like are recoveries. Without a transition it is one
    if the type is `success`; without either, if the title says so in its leading brackets (`[Recovered on
    {host:a}] ...`).
    """
    if alert.transition:
        return alert.transition.casefold().endswith("recovered")
    if alert.type:
        return alert.type.casefold() == "success"
    return _RECOVERED_TITLE.match(alert.title) is not None


def transition_of(alert: Alert) -> str:
    """The transition that a playbook sees in its trigger: one that is missing counts as Triggered, or
    Recovered.
    """
    return alert.transition or (RECOVERED if is_recovery(alert) else TRIGGERED)


def is_own_event(alert: Alert) -> bool:
    """Whether Pulsebook itself posted what this alert is about. Such an alert never starts a playbook."""
    if any(_is_own(tag) for tag in alert.tag_list):
        return True
    return "pulsebook" in alert.scope and any(_is_own(tag.strip()) for tag in alert.scope.split(","))


def summary(alert: Alert, received_at_ms: int) -> AlertSummary:
    """The alert in short, for lists and traces."""
    return AlertSummary(
        endpoint=alert.endpoint,
        source=alert.source,
        title=alert.title[:_SUMMARY_CHARS_MAX],
        transition=alert.transition,
        kind=alert.kind,
        priority=alert.priority,
        monitor_id=alert.monitor_id,
        scope=alert.scope[:_SUMMARY_CHARS_MAX],
        cycle_key=alert.cycle_key,
        received_at_ms=received_at_ms,
    )


def _is_own(tag: str) -> bool:
    folded = tag.casefold()
    return folded == OWN_SOURCE or folded.startswith(OWN_TAG)
