"""One alert's whole path, put together from the read model."""

import sqlite3
from collections import defaultdict
from typing import Any

import msgspec

from console.decoding import decoded
from console.published_view import PublicationView, publication, publication_view
from console.read_model.alerts import alert_decisions, alert_row
from console.read_model.model import ReadModel
from console.read_model.runs import run_publications, run_row
from console.run_view import DecisionView, RunSummary, decision_view, run_summary
from schemas.decisions import AlertMatched, Looked

NOT_LOOKED_AT = Looked(playbook="", revision="", matched=False, detail="")


class TracedAlert(msgspec.Struct, frozen=True, kw_only=True):
    """Where and when the alert was received, and what was understood of it."""

    alert_id: str
    received_at_ms: int
    decided_at_ms: int
    endpoint: str
    source: str
    title: str
    transition: str
    partition: int
    offset: int
    catalog_offset: int
    """What matching could know: the next offset of the catalog it had read."""
    ruled_out: int
    """Playbooks that the index ruled out without looking."""
    unparsable: str
    recovery: bool


class TracedPlaybook(msgspec.Struct, frozen=True, kw_only=True):
    """A playbook that was looked at. `clause`: the first that was false; empty if it matched."""

    playbook: str
    revision: str
    matched: bool
    clause: str
    detail: str
    decisions: list[DecisionView]
    """What admission decided, in order; empty while it has not."""
    run: RunSummary | None


class Trace(msgspec.Struct, frozen=True, kw_only=True):
    """See the module."""

    alert: TracedAlert
    playbooks: list[TracedPlaybook]
    publications: list[PublicationView]


async def trace_of(model: ReadModel, alert_id: str) -> Trace | None:
    """The trace of an alert; None where nothing has been decided about it (yet). Raises
    ReadModelUnavailable.
    """
    return await model.query(lambda connection: _trace(connection, alert_id))


def _trace(connection: sqlite3.Connection, alert_id: str) -> Trace | None:
    row = alert_row(connection, alert_id)
    if row is None:
        return None
    matched = decoded(row["record"], AlertMatched)
    decisions: defaultdict[str, list[DecisionView]] = defaultdict(list)
    for raw in alert_decisions(connection, alert_id):
        decided = decision_view(raw)
        decisions[decided.playbook].append(decided)
    looked = {each.playbook: each for each in matched.looked}
    # A call can have been given this alert without its ever matching that playbook.
    called = [
        msgspec.structs.replace(NOT_LOOKED_AT, playbook=name) for name in decisions if name not in looked
    ]
    playbooks = [_traced(connection, each, decisions[each.playbook]) for each in (*matched.looked, *called)]
    runs = {decided.run_id for each in playbooks for decided in each.decisions}
    publications = [
        publication_view(publication(raw))
        for run in sorted(runs)
        for raw in run_publications(connection, run)
    ]
    publications.sort(key=lambda each: each.at_ms)
    return Trace(alert=_alert(row, matched), playbooks=playbooks, publications=publications)


def _traced(connection: sqlite3.Connection, looked: Looked, decisions: list[DecisionView]) -> TracedPlaybook:
    row = run_row(connection, decisions[-1].run_id) if decisions else None
    return TracedPlaybook(
        playbook=looked.playbook,
        revision=looked.revision,
        matched=looked.matched,
        clause=looked.clause,
        detail=looked.detail,
        decisions=decisions,
        run=run_summary(row) if row and row["journaled"] else None,
    )


def _alert(row: Any, matched: AlertMatched) -> TracedAlert:
    about = matched.summary
    return TracedAlert(
        alert_id=matched.alert_id,
        received_at_ms=row["at_ms"],
        decided_at_ms=matched.at_ms,
        endpoint=about.endpoint,
        source=about.source,
        title=about.title,
        transition=about.transition,
        partition=matched.partition,
        offset=matched.offset,
        catalog_offset=matched.catalog_offset,
        ruled_out=matched.ruled_out,
        unparsable=matched.unparsable,
        recovery=matched.recovery,
    )
