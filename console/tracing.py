"""One alert's whole path, put together from the read model.

Its runs are `tracing_runs`, what of it became a dead letter is `tracing_letters`, why playbooks that nobody
looked at did not match is `recomputing`.
"""

import sqlite3
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import msgspec

from console.decoding import decoded
from console.letter_view import HandledView, handled_view
from console.published_view import PublicationView, publication, publication_view
from console.read_model.alerts import alert_decisions, alert_row
from console.read_model.letters import put_back_as
from console.read_model.model import ReadModel
from console.read_model.recoveries import dropped_by, heard_of
from console.read_model.runs import run_publications
from console.recomputing import Recomputed
from console.run_view import DecisionView, decision_view
from console.tracing_letters import TracedLetter, traced_letters
from console.tracing_runs import FoundRun, HeardRecovery, TracedRun, found_runs, traced_run
from engine.catalog import Catalog
from schemas.decisions import AlertMatched, Looked
from schemas.ids import run_id
from schemas.topics import ALERTS

NOT_LOOKED_AT = Looked(playbook="", revision="", matched=False, detail="")


class TracedAlert(msgspec.Struct, frozen=True, kw_only=True):
    """Where and when the alert was received, and what was understood of it."""

    alert_id: str
    received_at_ms: int
    decided_at_ms: int
    """When it was recorded which playbooks it matches."""
    endpoint: str
    source: str
    title: str
    transition: str
    monitor_id: str
    scope: str
    partition: int
    offset: int
    catalog_offset: int
    """What matching could know: the next offset of the catalog it had read."""
    ruled_out: int
    """Playbooks that the index ruled out without looking."""
    unparsable: str
    recovery: bool
    """It says that another alert is over, and was handed to the playbooks whose endpoint, monitor and tags
    fit.
    """
    put_back: HandledView | None
    """The redrive of a dead letter that put it where it stands; null: it came by itself."""


class TracedPlaybook(msgspec.Struct, frozen=True, kw_only=True):
    """A playbook that was looked at. `clause`: the first that was false; empty if it matched."""

    playbook: str
    revision: str
    matched: bool
    clause: str
    detail: str
    decisions: list[DecisionView]
    """What admission decided, in order; empty while it has not."""
    runs: list[TracedRun]
    """The one that the alert started, and those that were started with it by hand."""


class Recovery(msgspec.Struct, frozen=True, kw_only=True):
    """What came of an alert that says that another is over."""

    heard: list[HeardRecovery]
    """Runs that heard of it."""
    dropped: list[DecisionView]
    """What left the queue because of it."""


class Trace(msgspec.Struct, frozen=True, kw_only=True):
    """See the module."""

    alert: TracedAlert
    playbooks: list[TracedPlaybook]
    publications: list[PublicationView]
    dead_letters: list[TracedLetter]
    """Of the alert itself and of its runs."""
    recovery: Recovery | None
    """Null where it is none."""
    recomputed: Recomputed | None = None
    """Only where it was asked for (`all`)."""


class Found(msgspec.Struct, frozen=True):
    """What the read model has of an alert: the trace, but for how the steps of its runs hold each other."""

    matched: AlertMatched
    alert: TracedAlert
    looked: Sequence[Looked]
    decisions: dict[str, list[DecisionView]]
    runs: dict[str, FoundRun]
    publications: list[PublicationView]
    dead_letters: list[TracedLetter]
    recovery: Recovery | None

    def trace(self, catalog: Catalog) -> Trace:
        """As it is shown; `catalog` knows the revisions of its runs."""
        return Trace(
            alert=self.alert,
            playbooks=[self._playbook(one, catalog) for one in self.looked],
            publications=self.publications,
            dead_letters=self.dead_letters,
            recovery=self.recovery,
        )

    def _playbook(self, looked: Looked, catalog: Catalog) -> TracedPlaybook:
        decisions = self.decisions.get(looked.playbook, [])
        runs = (self.runs.get(name) for name in dict.fromkeys(one.run_id for one in decisions))
        return TracedPlaybook(
            playbook=looked.playbook,
            revision=looked.revision,
            matched=looked.matched,
            clause=looked.clause,
            detail=looked.detail,
            decisions=decisions,
            runs=[traced_run(run, catalog) for run in runs if run],
        )


async def found_of(model: ReadModel, alert_id: str) -> Found | None:
    """What is known of an alert; None where nothing has been decided about it (yet). Raises
    ReadModelUnavailable.
    """
    return await model.query(lambda connection: _found(connection, alert_id))


def _found(connection: sqlite3.Connection, alert_id: str) -> Found | None:
    row = alert_row(connection, alert_id)
    if row is None:
        return None
    matched = decoded(row["record"], AlertMatched)
    decisions: defaultdict[str, list[DecisionView]] = defaultdict(list)
    for raw in alert_decisions(connection, alert_id):
        decided = decision_view(raw)
        decisions[decided.playbook].append(decided)
    known = {each.playbook for each in matched.looked}
    # A call can have been given this alert without its ever matching that playbook.
    called = [
        msgspec.structs.replace(NOT_LOOKED_AT, playbook=name) for name in decisions if name not in known
    ]
    run_ids = list(dict.fromkeys(one.run_id for each in decisions.values() for one in each))
    # What became a dead letter before admission could decide has no decision that names its run.
    started = [run_id(each.playbook, alert_id) for each in matched.looked if each.matched]
    publications = [
        publication_view(publication(raw)) for run in run_ids for raw in run_publications(connection, run)
    ]
    publications.sort(key=lambda each: each.at_ms)
    return Found(
        matched=matched,
        alert=_alert(connection, row, matched),
        looked=(*matched.looked, *called),
        decisions=dict(decisions),
        runs=found_runs(connection, run_ids),
        publications=publications,
        dead_letters=traced_letters(
            connection, matched.partition, matched.offset, {alert_id, *run_ids, *started}
        ),
        recovery=_recovery(connection, matched) if matched.recovery else None,
    )


def _recovery(connection: sqlite3.Connection, matched: AlertMatched) -> Recovery:
    return Recovery(
        heard=[HeardRecovery(**one) for one in heard_of(connection, matched.alert_id)],
        dropped=[decision_view(one) for one in dropped_by(connection, matched.alert_id, matched.at_ms)],
    )


def _alert(connection: sqlite3.Connection, row: Any, matched: AlertMatched) -> TracedAlert:
    about = matched.summary
    put_back = put_back_as(connection, ALERTS.name, matched.partition, matched.offset)
    return TracedAlert(
        alert_id=matched.alert_id,
        received_at_ms=row["at_ms"],
        decided_at_ms=row["decided_at_ms"],
        endpoint=about.endpoint,
        source=about.source,
        title=about.title,
        transition=about.transition,
        monitor_id=about.monitor_id,
        scope=about.scope,
        partition=matched.partition,
        offset=matched.offset,
        catalog_offset=matched.catalog_offset,
        ruled_out=matched.ruled_out,
        unparsable=matched.unparsable,
        recovery=matched.recovery,
        put_back=handled_view(put_back) if put_back else None,
    )
