"""Starting a playbook by hand: by the API or by a hook of its own. All starts go through admission, as alerts
do.

What is refused here could never start and is told to the caller; what a rule holds back is decided by
admission and recorded there.
"""

import base64
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from console.parts import Parts
from console.writing import durably
from engine.alert.scope import alert_scope
from engine.catalog import Catalog
from engine.children import pinned_children
from engine.holds import PAUSE_ALL
from engine.playbook.compiled import Compiled
from engine.run.inputs import resolve
from engine.run.starting import WITHOUT_ALERT, uses_alert
from schemas import codec
from schemas.admissions import Candidate, Hold, Via
from schemas.alerts import Alert
from schemas.ids import digest, run_id
from schemas.outgoing import Outgoing
from schemas.topics import ADMISSIONS


class CannotStart(Exception):
    """The playbook cannot start like this. `status`: the HTTP status that says so."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """What a caller asks for. `endpoint`: the hook it came by; empty: the API."""

    playbook: str
    request_id: str
    via: Via
    actor: str
    endpoint: str = ""
    inputs: Mapping[str, Any] = field(default_factory=dict)
    alert: Alert | None = None


async def start(parts: Parts, asked: Start, within_s: float | None = None) -> str:
    """Hand a candidate to admission, durably; the run's id. Raises CannotStart, NotDurable, SchemasError."""
    return await hand_in(
        parts, candidate(parts.catalog.catalog, asked, time.time_ns() // 1_000_000), within_s
    )


async def hand_in(parts: Parts, made: Candidate, within_s: float | None = None) -> str:
    """Send a candidate to admission, durably; the run's id. Raises as `start`."""
    bytes_max = parts.settings.record_bytes_max
    if (size := len(codec.encode(made))) > bytes_max:
        raise CannotStart(413, f"inputs and alert make a record of {size} bytes; allowed are {bytes_max}")
    await durably(parts, Outgoing(ADMISSIONS, made.playbook, made), within_s)
    return made.run_id


def candidate(catalog: Catalog, asked: Start, at_ms: int) -> Candidate:
    """The record that asks for a start. Raises CannotStart."""
    active = catalog.playbooks.get(asked.playbook)
    book = catalog.compiled(active.digest) if active and active.digest else None
    allowed = book.playbook.call if book else None
    # A hook learns nothing of playbooks that are not its own.
    if (
        not active
        or not book
        or (asked.endpoint and (not allowed or asked.endpoint not in allowed.endpoints))
    ):
        by = f" that the endpoint {asked.endpoint} may start" if asked.endpoint else ""
        raise CannotStart(404, f"there is no playbook {asked.playbook}{by}")
    if allowed is None:
        raise CannotStart(409, f"{asked.playbook} has no `on.call`: it is started by alerts only")
    if not active.enabled:
        raise CannotStart(409, f"{asked.playbook} is disabled")
    if (paused := catalog.holds.paused(asked.playbook)) is not None:
        raise CannotStart(409, _paused(asked.playbook, paused))
    refuse_unfit(book, asked.inputs, asked.alert)
    return Candidate(
        request_id=asked.request_id,
        playbook=asked.playbook,
        revision=active.digest,
        catalog_offset=catalog.offset,
        run_id=run_id(asked.playbook, asked.request_id),
        via=asked.via,
        actor=asked.actor,
        alert=asked.alert,
        inputs=dict(asked.inputs),
        received_at_ms=at_ms,
        children=pinned_children(book, catalog),
        # An alert that calls by its own hook is an alert; a person who starts by hand means it.
        muted=catalog.holds.muted(asked.alert, asked.playbook, at_ms)
        if asked.alert and asked.via == "hook"
        else None,
    )


def _paused(playbook: str, hold: Hold) -> str:
    what = "all playbooks are paused" if hold.name == PAUSE_ALL else f"{playbook} is paused"
    return f"{what} by {hold.actor}{': ' if hold.reason else ''}{hold.reason}"


def refuse_unfit(book: Compiled, inputs: Mapping[str, Any], alert: Alert | None) -> None:
    """Raises CannotStart where a run of the playbook would fail for what it is given."""
    if alert is None and uses_alert(book, inputs):
        raise CannotStart(422, WITHOUT_ALERT)
    problems = resolve(book, inputs, alert_scope(alert) if alert else {})[1]
    if problems:
        raise CannotStart(422, problems)


def request_id(scope: str, key: str) -> str:
    """The id of a call: with an idempotency key the same for the same caller and key, else a new one."""
    if key:
        return "q-" + digest(f"{scope}\0{key}")[:24]
    return "q-" + base64.b32encode(secrets.token_bytes(15)).decode().lower()
