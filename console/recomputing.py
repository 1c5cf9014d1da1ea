"""The other side of a trace: why the playbooks that nobody looked at did not match, worked out when somebody
asks.

Nothing of it is on record but how many there were; it follows from the alert as its topic keeps it, and the
catalog as it was. In pages: there may be thousands.
"""

import asyncio
from typing import Literal

import msgspec

from console.api.asking import model_of
from console.fetching import fetched_alert
from console.paging import encode_cursor
from console.parts import Parts
from console.problems import Problem
from console.read_model.runs import started_with
from engine.alert.unparsable import Unparsable
from engine.catalog import Catalog
from engine.matching import alert_of
from engine.matching_clauses import Facts
from engine.recomputing import looked_again, ruled_out
from schemas.alerts import Alert
from schemas.decisions import AlertMatched, Looked

KNOWN_WITHIN_S = 3.0
AT_ONCE = 10
"""Playbooks asked before others get their turn: an old revision is compiled for it."""
GONE = "the alert itself is no longer kept on its topic"


class RecomputedPlaybook(msgspec.Struct, frozen=True, kw_only=True):
    """A playbook that was not looked at, and the clause that was false: not on record, but worked out now."""

    playbook: str
    revision: str
    matched: bool
    """True: the record and this program contradict each other."""
    clause: str
    detail: str
    recomputed: Literal[True] = True


class Recomputed(msgspec.Struct, frozen=True, kw_only=True):
    """A page of them, by name. `next`: the cursor of the next page; null when this is the last."""

    items: list[RecomputedPlaybook]
    next: str | None
    total: int
    """How many playbooks there were then that nobody looked at. The record's `ruled_out` says the same."""
    problem: str
    """Why their clauses cannot be worked out; empty when they can."""


async def recomputed(parts: Parts, matched: AlertMatched, after: str, limit: int) -> Recomputed:
    """The page after the playbook of that name. Raises Problem 503."""
    catalog = await _catalog(parts, matched.catalog_offset)
    held = ruled_out(catalog, matched.catalog_offset, {each.playbook for each in matched.looked})
    if matched.unparsable:
        return _none(0, "")
    facts = await _facts(parts, matched)
    if isinstance(facts, str):
        return _none(len(held), facts)
    left = [name for name in held if name > after]
    shown: list[RecomputedPlaybook] = []
    for at, name in enumerate(left[:limit]):
        shown.append(_view(looked_again(facts, catalog, matched.catalog_offset, held[name])))
        if at % AT_ONCE == AT_ONCE - 1:
            await asyncio.sleep(0)
    following = encode_cursor([shown[-1].playbook]) if len(left) > limit else None
    return Recomputed(items=shown, next=following, total=len(held), problem="")


async def _catalog(parts: Parts, offset: int) -> Catalog:
    """The catalog, once it knows what matching knew. Raises Problem 503."""
    try:
        async with asyncio.timeout(KNOWN_WITHIN_S):
            await parts.catalog.reached(offset)
    except (TimeoutError, RuntimeError) as error:
        raise Problem(503, f"the catalog has not been read to its offset {offset} here yet") from error
    return parts.catalog.catalog


async def _facts(parts: Parts, matched: AlertMatched) -> Facts | str:
    """What the clauses ask of the alert; else why they cannot. Raises Problem 503."""
    received = await fetched_alert(
        parts, matched.alert_id, matched.partition, matched.offset, matched.summary.endpoint
    )
    alert = Unparsable(GONE) if received is None else alert_of(received)
    if isinstance(alert, Alert):
        return Facts(alert)
    # A run keeps the alert that started it, for longer, and whatever form it came in.
    kept = await model_of(parts).query(lambda connection: started_with(connection, matched.alert_id))
    return Facts(kept) if kept else alert.problem


def _none(total: int, problem: str) -> Recomputed:
    return Recomputed(items=[], next=None, total=total, problem=problem)


def _view(looked: Looked) -> RecomputedPlaybook:
    return RecomputedPlaybook(**msgspec.structs.asdict(looked))
