"""Which playbooks does an alert fit, and why not the others: one AlertMatched, Candidates, and
AlertRecovereds.

A function of the alert and the catalog. An error in `when` means not matched, with the error as the reason.
Events that Pulsebook posted itself never match. What may then start is decided by `engine.admission`.

Every playbook is looked at and named as long as there are few (`LOOKED_MAX`). Of more, the index
(`engine.matching_index`) rules out those that ask for something else; they are counted. Which playbooks
match, and the order of the records, is the same either way.
"""

from collections.abc import Iterable
from itertools import chain, islice

from msgspec.structs import replace

from engine.alert.facts import is_recovery, summary
from engine.alert.normalising import normalise, sound
from engine.alert.unparsable import Unparsable
from engine.catalog import Catalog
from engine.children import pinned_children
from engine.matching_clauses import CLAUSES, Facts, Miss, first_false, recovery_false
from engine.matching_index import AlertIndex, Offered
from engine.playbook.compiled import Compiled
from engine.playbook.model import Playbook
from schemas.admissions import AlertRecovered, Candidate
from schemas.alerts import Alert, AlertReceived, AlertSummary
from schemas.decisions import AlertMatched, Looked
from schemas.ids import run_id
from schemas.outgoing import Cause, Outgoing
from schemas.topics import ADMISSIONS, DECISIONS

LOOKED_MAX = 100
"""Up to so many playbooks are all looked at and named."""
NEAR_MAX = 20
"""Playbooks that did not match and are named where there are more than that: those that came nearest."""
_DETAIL_CHARS_MAX = 300
_RANK = {clause: rank for rank, clause in enumerate(CLAUSES)}


def match(alert: Alert, compiled: Iterable[Compiled]) -> tuple[Looked, ...]:
    """What became of each of these playbooks; those without `on.alert` are left out."""
    return _looked(Facts(alert), (Offered(book.playbook.name, book.digest, book, True) for book in compiled))


def recovery_fits(alert: Alert, playbook: Playbook) -> bool:
    """Whether a recovery may concern runs of this playbook: endpoint, monitor and tags fit one of its
    triggers.
    """
    facts = Facts(alert)
    return any(recovery_false(facts, trigger) is None for trigger in playbook.alerts)


def matched_records(received: AlertReceived, cause: Cause, catalog: Catalog) -> tuple[Outgoing, ...]:
    """All that follows from an alert, in the order in which it is to be sent.

    `cause`: where it stands on `alerts`. `catalog`: what is known before `catalog.offset`, which every record
    names.
    """
    alert = alert_of(received)
    if isinstance(alert, Unparsable):
        short = AlertSummary(endpoint=received.endpoint, received_at_ms=received.received_at_ms)
        return (_matched(received, cause, catalog, short, unparsable=alert.problem),)
    index, facts = catalog.alert_index, Facts(alert)
    looked = _looked(facts, index.all) if len(index.all) <= LOOKED_MAX else _looked_near(facts, index)
    recovery = is_recovery(alert) and not facts.is_own_event
    recoveries = _recoveries(alert, index.recovering(facts), catalog) if recovery else ()
    matched = _matched(
        received,
        cause,
        catalog,
        summary(alert, received.received_at_ms),
        looked=looked,
        ruled_out=index.without_trigger + len(index.all) - len(looked),
        recovery=recovery,
    )
    candidates = (
        Outgoing(ADMISSIONS, one.playbook, _candidate(received, alert, one, catalog, cause.at_ms))
        for one in looked
        if one.matched
    )
    return (matched, *recoveries, *candidates)


def alert_of(received: AlertReceived) -> Alert | Unparsable:
    """The alert under its record's id and endpoint. Producers of Avro may leave the reading to us."""
    if received.alert is None and received.problem:
        return Unparsable(received.problem)
    alert = (
        normalise(received.raw, received.content_type) if received.alert is None else sound(received.alert)
    )
    if isinstance(alert, Alert) and (alert.id, alert.endpoint) != (received.alert_id, received.endpoint):
        return replace(alert, id=received.alert_id, endpoint=received.endpoint)
    return alert


def _looked(facts: Facts, offered: Iterable[Offered]) -> tuple[Looked, ...]:
    return tuple(look(facts, one) for one in offered if one.book is None or one.book.playbook.alerts)


def _looked_near(facts: Facts, index: AlertIndex) -> tuple[Looked, ...]:
    """Of many: all that match, and of the others the `NEAR_MAX` nearest, after those that cannot be read."""
    sifted = index.sift(facts)
    hopeful = index.hopeful(facts, sifted) if len(sifted.fits) > NEAR_MAX else None
    named: list[Looked] = []
    misses = 0
    for one in sifted.fits:
        if misses >= NEAR_MAX and hopeful is not None and one.name not in hopeful:
            continue
        false = _false(facts, one)
        misses += false is not None
        if false is None or misses <= NEAR_MAX:
            named.append(_as_looked(one, false))
    nearest = islice(chain(index.unreadable, sifted.near), max(0, NEAR_MAX - misses))
    return tuple(sorted((*named, *_looked(facts, nearest)), key=lambda one: one.playbook))


def look(facts: Facts, offered: Offered) -> Looked:
    """What becomes of one playbook."""
    return _as_looked(offered, _false(facts, offered))


def _as_looked(offered: Offered, false: Miss | None) -> Looked:
    if false is None:
        return Looked(playbook=offered.name, revision=offered.revision, matched=True)
    detail = false.detail
    return Looked(
        playbook=offered.name,
        revision=offered.revision,
        matched=False,
        clause=false.clause,
        detail=detail if len(detail) <= _DETAIL_CHARS_MAX else detail[: _DETAIL_CHARS_MAX - 1] + "…",
    )


def _false(facts: Facts, offered: Offered) -> Miss | None:
    """The first false clause; of several triggers, that of the one that came furthest."""
    if not offered.enabled:
        return Miss("disabled", "the playbook is disabled")
    if offered.book is None:
        return Miss("revision", f"its revision {offered.revision[:12]} cannot be read")
    if facts.is_own_event:
        return Miss("own_event", "alert is about an event that Pulsebook posted itself")
    furthest: Miss | None = None
    triggers = offered.book.playbook.alerts
    for trigger in triggers:
        false = first_false(facts, trigger, offered.book)
        if false is None:
            return None
        if furthest is None or _RANK[false.clause] > _RANK[furthest.clause]:
            furthest = false
    if furthest is not None and len(triggers) > 1:
        return Miss(furthest.clause, f"{furthest.detail} (nearest of {len(triggers)} triggers)")
    return furthest


def _recoveries(alert: Alert, offered: Iterable[Offered], catalog: Catalog) -> tuple[Outgoing, ...]:
    """To every playbook that the recovery may concern; also to a disabled one, whose runs may wait for it."""
    return tuple(
        Outgoing(
            ADMISSIONS,
            one.name,
            AlertRecovered(
                alert_id=alert.id,
                playbook=one.name,
                revision=one.revision,
                catalog_offset=catalog.offset,
                alert=alert,
            ),
        )
        for one in offered
    )


def _candidate(
    received: AlertReceived, alert: Alert, looked: Looked, catalog: Catalog, at_ms: int
) -> Candidate:
    """`at_ms`: when the alert came, by the broker's clock; that decides whether a mute was over."""
    book = catalog.compiled(looked.revision)
    return Candidate(
        request_id=alert.id,
        playbook=looked.playbook,
        revision=looked.revision,
        catalog_offset=catalog.offset,
        run_id=run_id(looked.playbook, alert.id),
        alert=alert,
        received_at_ms=received.received_at_ms,
        children=() if book is None else pinned_children(book, catalog),
        paused=catalog.holds.paused(looked.playbook),
        muted=catalog.holds.muted(alert, looked.playbook, at_ms),
    )


def _matched(
    received: AlertReceived,
    cause: Cause,
    catalog: Catalog,
    short: AlertSummary,
    *,
    looked: tuple[Looked, ...] = (),
    ruled_out: int = 0,
    unparsable: str = "",
    recovery: bool = False,
) -> Outgoing:
    record = AlertMatched(
        alert_id=received.alert_id,
        at_ms=cause.at_ms,
        summary=short,
        partition=cause.partition,
        offset=cause.offset,
        catalog_offset=catalog.offset,
        looked=looked,
        ruled_out=ruled_out,
        unparsable=unparsable,
        recovery=recovery,
    )
    return Outgoing(DECISIONS, received.alert_id, record)
