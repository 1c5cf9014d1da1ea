"""Which records belong to a run, an alert or a playbook."""

from typing import TypeVar

import msgspec

from audit.export.plan import Plan, Selection, planned
from audit.export.selecting import Selected, selected
from audit.log import Entry
from schemas.admissions import AlertRecovered, Candidate, PlaybookSwitched, RunEnded
from schemas.alerts import Alert, AlertReceived
from schemas.catalog import EndpointSet, PlaybookSet, RevisionAdded, SwitchSet, TokenSet
from schemas.dead_letters import DeadLetter, DeadLetterHandled
from schemas.decisions import AlertMatched, Looked
from schemas.fields import Record
from schemas.ids import alert_id_for_record
from schemas.inbox import RunRecovered, RunRequested
from schemas.relations import Parent, PinnedChild
from schemas.topics import (
    ADMISSIONS,
    ALERTS,
    CATALOG,
    DEAD_LETTERS,
    DECISIONS,
    PUBLICATIONS,
    RUN_INBOX,
    RUN_JOURNAL,
)
from tests.audit.memory_log import BEGAN_MS, IDS, PREFIX, STEP_MS, MemoryLog
from tests.schemas.samples import SAMPLES

R = TypeVar("R", bound=Record)


def sample(kind: type[R], **fields: object) -> R:
    (found,) = [one for one in SAMPLES if type(one) is kind]
    assert isinstance(found, kind)
    return msgspec.structs.replace(found, **fields)


def requested(run: str, playbook: str, alert: str = "", parent: str = "") -> RunRequested:
    return sample(
        RunRequested,
        run_id=run,
        playbook=playbook,
        revision=f"digest-{playbook}",
        request_id=alert or f"q-{run}",
        alert=Alert(id=alert, endpoint=f"at-{alert}") if alert else None,
        parent=Parent(run_id=parent, step="child", seq=1) if parent else None,
        children=(),
    )


def candidate(run: str, playbook: str, alert: str) -> Candidate:
    return sample(
        Candidate,
        run_id=run,
        playbook=playbook,
        revision=f"digest-{playbook}",
        request_id=alert,
        alert=Alert(id=alert),
        parent=None,
        children=(PinnedChild(playbook="pinned", revision="digest-pinned", catalog_offset=1),),
    )


async def plan_of(log: MemoryLog, selection: Selection, since_ms: int | None = None) -> Plan:
    return await planned(log, IDS, PREFIX, since_ms, None, selection)


async def taken(log: MemoryLog, selection: Selection) -> list[Entry]:
    found = await selected(log, await plan_of(log, selection))
    return [one for held in log.entries.values() for one in held if found.takes(one)]


async def ids(log: MemoryLog, **selection: tuple[str, ...]) -> Selected:
    return await selected(log, await plan_of(log, Selection(**selection)))


async def test_children_are_found_in_whatever_order_they_are_read() -> None:
    log = MemoryLog()
    for run, parent in (("r-4", "r-3"), ("r-3", "r-2"), ("r-2", "r-1"), ("r-9", "r-8")):
        log.write(RUN_INBOX, requested(run, "child", parent=parent), run)
    log.write(RUN_INBOX, requested("r-1", "top"), "r-1", partition=1)
    assert (await ids(log, runs=("r-1",))).runs == {"r-1", "r-2", "r-3", "r-4"}
    assert (await ids(log, playbooks=("top",))).runs == {"r-1", "r-2", "r-3", "r-4"}


async def test_the_alert_of_a_run_does_not_bring_its_other_runs() -> None:
    log = MemoryLog()
    for run, playbook in (("r-1", "one"), ("r-2", "two")):
        log.write(ADMISSIONS, candidate(run, playbook, "a-1"), playbook)
        log.write(RUN_INBOX, requested(run, playbook, "a-1"), run)
    one = await ids(log, runs=("r-1",))
    assert (one.runs, one.alerts, one.endpoints) == ({"r-1"}, {"a-1"}, {"at-a-1"})
    assert one.revisions == {"digest-one", "digest-pinned"}
    assert (await ids(log, alerts=("a-1",))).runs == {"r-1", "r-2"}


async def test_a_run_that_began_before_the_period_belongs_to_its_alert_all_the_same() -> None:
    log = MemoryLog()
    log.write(RUN_INBOX, requested("r-1", "one", "a-1"), "r-1")
    for _ in range(5):
        log.write(RUN_JOURNAL, sample(RunEnded), "r-1")
    selection = Selection(alerts=("a-1",))
    plan = await plan_of(log, selection, since_ms=BEGAN_MS + 3 * STEP_MS)
    assert plan.bounds["run-journal", 0] == (2, 5)
    assert (await selected(log, plan)).runs == {"r-1"}


async def test_alerts_belong_by_their_id_or_by_their_place() -> None:
    log = MemoryLog()
    log.write(ALERTS, sample(AlertReceived, alert_id="a-1"))
    log.write(ALERTS, sample(AlertReceived, alert_id="a-2"))
    place = log.put(ALERTS, 1, b'{"title": "elsewhere"}')
    recovery = log.write(ALERTS, sample(AlertReceived, alert_id="a-3"))
    log.write(RUN_INBOX, requested("r-1", "one", "a-1"), "r-1")
    log.write(RUN_INBOX, sample(RunRecovered, run_id="r-1", alert_id="a-3"), "r-1")
    by_place = alert_id_for_record("alerts", 1, 0)
    assert [one.offset for one in await taken(log, Selection(alerts=("a-2",)))] == [1]
    assert await taken(log, Selection(alerts=(by_place,))) == [place]
    assert recovery in await taken(log, Selection(runs=("r-1",)))


async def test_a_playbook_has_what_matched_it_and_what_admission_heard_of_it() -> None:
    log = MemoryLog()
    looked = [
        Looked(playbook="one", revision="d", matched=True),
        Looked(playbook="two", revision="d", matched=False),
    ]
    matched = log.write(DECISIONS, sample(AlertMatched, alert_id="a-1", looked=tuple(looked)))
    switched = log.write(ADMISSIONS, sample(PlaybookSwitched, playbook="one"), "one")
    recovered = log.write(ADMISSIONS, sample(AlertRecovered, playbook="one", alert_id="a-2"), "one")
    alerts = [log.write(ALERTS, sample(AlertReceived, alert_id=f"a-{number}")) for number in (1, 2, 3)]
    found = await taken(log, Selection(playbooks=("one",)))
    assert [one for one in (matched, switched, recovered, *alerts) if one in found] == [
        matched, switched, recovered, *alerts[:2]
    ]  # fmt: skip
    assert await taken(log, Selection(playbooks=("two",))) == []


async def test_of_the_catalog_come_the_revisions_and_every_switch_and_no_token() -> None:
    log = MemoryLog()
    log.write(RUN_INBOX, requested("r-1", "one", "a-1"), "r-1")
    wanted = [
        log.write(CATALOG, sample(RevisionAdded, playbook="one", digest="digest-one")),
        log.write(CATALOG, sample(PlaybookSet, name="one")),
        log.write(CATALOG, sample(EndpointSet, name="at-a-1")),
        log.write(CATALOG, sample(SwitchSet)),
    ]
    log.write(CATALOG, sample(RevisionAdded, playbook="one", digest="an older one"))
    log.write(CATALOG, sample(PlaybookSet, name="two"))
    log.write(CATALOG, sample(EndpointSet, name="another"))
    log.write(CATALOG, sample(TokenSet))
    found = await taken(log, Selection(runs=("r-1",)))
    assert [one for one in found if one.topic == "catalog"] == wanted


async def test_dead_letters_come_with_what_they_were_and_what_was_done_about_them() -> None:
    log = MemoryLog()
    letters = [
        log.write(DEAD_LETTERS, sample(DeadLetter, topic="run-inbox", key=b"r-1")),
        log.write(DEAD_LETTERS, sample(DeadLetter, topic="run-inbox", key=b"r-2")),
        log.write(DEAD_LETTERS, sample(DeadLetter, topic="alerts", partition=1, offset=7)),
    ]
    handled = [
        log.write(DEAD_LETTERS, sample(DeadLetterHandled, partition=0, offset=letter.offset))
        for letter in letters
    ]
    assert await taken(log, Selection(runs=("r-1",))) == [letters[0], handled[0]]
    by_place = alert_id_for_record("alerts", 1, 7)
    assert await taken(log, Selection(alerts=(by_place,))) == [letters[2], handled[2]]


async def test_what_is_keyed_by_the_run_belongs_to_it_even_where_it_cannot_be_read() -> None:
    log = MemoryLog()
    wanted = [log.put(topic, 0, b"garbage", key=b"r-1") for topic in (RUN_INBOX, RUN_JOURNAL, PUBLICATIONS)]
    for topic in (RUN_INBOX, RUN_JOURNAL, PUBLICATIONS, ADMISSIONS, CATALOG, DECISIONS, ALERTS):
        log.put(topic, 0, b"garbage", key=b"\xff")
    assert await taken(log, Selection(runs=("r-1",))) == wanted


async def test_what_is_asked_for_and_nowhere_on_record_is_named() -> None:
    log = MemoryLog()
    log.write(CATALOG, sample(PlaybookSet, name="never-ran"))
    log.write(ADMISSIONS, candidate("r-1", "book", "a-1"))
    log.write(RUN_INBOX, requested("r-1", "book", "a-1"), "r-1")
    log.write(DECISIONS, sample(AlertMatched, alert_id="a-1"))
    unread = log.put(ALERTS, 1, b"no alert")
    by_place = alert_id_for_record("alerts", unread.partition, unread.offset)
    found = await ids(
        log, runs=("r-1", "r-2"), alerts=("a-1", "a-2", by_place), playbooks=("book", "bok", "never-ran")
    )
    assert found.not_met == ["run r-2", "alert a-2", "playbook bok"]
    assert (await ids(log, runs=("r-1",))).not_met == []
