"""The admission key of a candidate, and how a recovery finds the runs that it concerns."""

from typing import Any

from engine.admission.rows import short
from engine.alert.facts import alert_key, cycle_of
from engine.alert.scope import alert_scope
from engine.playbook.compiled import Compiled
from engine.playbook.model import Admission
from schemas.admissions import Candidate
from schemas.alerts import Alert
from schemas.json import canonical

DEFAULT_KEY = Admission().key


def is_default_key(book: Compiled) -> bool:
    """Whether the key is monitor and scope, which trigger and recovery always share."""
    return book.playbook.admission.key == DEFAULT_KEY


def key_of_alert(book: Compiled, alert: Alert) -> str:
    """The key of an alert. Raises ExpressionError."""
    return default_key(alert) if is_default_key(book) else _evaluated(book, alert_scope(alert))


def key_of(book: Compiled, candidate: Candidate) -> str:
    """The key of a candidate; "" where nothing can be in its way. Raises ExpressionError."""
    alert = candidate.alert
    if is_default_key(book):
        # Runs that a run asked for are told apart by that run; only a key that the playbook writes itself
        # is meant for them, too.
        return "" if alert is None or candidate.parent is not None else default_key(alert)
    return _evaluated(book, {} if alert is None else alert_scope(alert))


def default_key(alert: Alert) -> str:
    """Monitor and scope; for an alert that names neither, what else links it to its like, or it alone.

    Without that, all alerts of producers that know no monitors would stand in each other's way.
    """
    if alert.monitor_id or alert.scope:
        return short(f"{alert.monitor_id}/{alert.scope}")
    return short(alert_key(alert))


def cycle_key(alert: Alert) -> str:
    """The alert's cycle as part of a row key; "" if it has none."""
    return short(cycle_of(alert))


def group_key(alert: Alert) -> str:
    """Monitor and scope: what fired; "" if the alert names no monitor."""
    return short(f"{alert.monitor_id}/{alert.scope}") if alert.monitor_id else ""


def _evaluated(book: Compiled, scope: dict[str, Any]) -> str:
    value = book.evaluate(book.playbook.admission.key, scope)
    return short(value if isinstance(value, str) else canonical(value).decode())
