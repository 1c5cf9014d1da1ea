"""Which records belong to some runs, alerts or playbooks: what an export is limited to.

A **run** has its candidate, what admission decided, its inbox, its journal, what was published, the runs
that it started and waited for, the alert that it was started for, those that told it of a recovery, and of
the catalog the revisions that it pinned. An **alert** has what was decided about it and all runs that it led
to. A **playbook** has its revisions, all that admission heard and decided of it, the alerts that matched it,
and all its runs. With each come the dead letters of the same things and all switches (pauses and mutes hold
many).

Two steps: the ids are gathered from all that is kept, until nothing new is found (a run may have begun
before the period, and a child be read before its parent); then each record is asked whether it has one of
them. Memory is the ids.
"""

from contextlib import aclosing

from audit.export.plan import Plan, Selection
from audit.log import Entry, Log
from schemas.admissions import AlertRecovered, Candidate, CandidateCancelled, RunEnded
from schemas.alerts import Alert, AlertReceived
from schemas.catalog import EndpointSet, PlaybookSet, RevisionAdded, SwitchSet
from schemas.dead_letters import DeadLetter, DeadLetterHandled
from schemas.decisions import AdmissionDecided, AlertMatched
from schemas.fields import Record
from schemas.ids import alert_id_for_record
from schemas.inbox import RunRecovered, RunRequested
from schemas.relations import PinnedChild
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

GATHERED = (DECISIONS.name, ADMISSIONS.name, RUN_INBOX.name, DEAD_LETTERS.name)
_OF_A_RUN = (RUN_INBOX.name, RUN_JOURNAL.name, PUBLICATIONS.name)


class Selected:
    """The ids that belong to a selection, and which records have them."""

    def __init__(self, selection: Selection) -> None:
        self._asked_alerts, self._asked_playbooks = set(selection.alerts), set(selection.playbooks)
        self.runs, self.alerts = set(selection.runs), set(selection.alerts)
        self.playbooks, self.revisions = set(selection.playbooks), set[str]()
        self.endpoints, self.letters = set[str](), set[tuple[int, int]]()
        self._not_met = {
            "run": set(selection.runs),
            "alert": set(selection.alerts),
            "playbook": set(selection.playbooks),
        }

    @property
    def not_met(self) -> list[str]:
        """What was asked for and nothing kept tells of, such as "run r-1": mistyped, or older than all."""
        return [f"{kind} {one}" for kind, names in self._not_met.items() for one in sorted(names)]

    @property
    def count(self) -> int:
        """How many ids there are: while it grows, the records are to be read again."""
        kinds = (self.runs, self.alerts, self.playbooks, self.revisions, self.endpoints, self.letters)
        return sum(len(kind) for kind in kinds)

    def gather(self, entry: Entry) -> None:
        """Take over the ids of a record that belongs here."""
        self._meet(entry)
        match entry.record:
            case AlertMatched(looked=looked, alert_id=alert_id):
                if any(one.matched and one.playbook in self._asked_playbooks for one in looked):
                    self.alerts.add(alert_id)
            case AdmissionDecided() as one:
                if self._is_asked(one.playbook, one.request_id, one.alert_id):
                    self.runs.add(one.run_id)
            case Candidate() | RunRequested() as one:
                self._gather_run(one)
            case AlertRecovered(playbook=playbook, alert_id=alert_id):
                if playbook in self._asked_playbooks:
                    self.alerts.add(alert_id)
            case RunRecovered(run_id=run_id, alert_id=alert_id) if run_id in self.runs:
                self.alerts.add(alert_id)
            case DeadLetter() as letter:
                if self._is_letter_of_ours(letter):
                    self.letters.add((entry.partition, entry.offset))
            case _:
                pass

    def _meet(self, entry: Entry) -> None:
        runs, alerts, playbooks = self._not_met.values()
        if not (runs or alerts or playbooks):
            return
        match entry.record:
            case AlertMatched(alert_id=alert_id):
                alerts.discard(alert_id)
            case AlertReceived(alert_id=alert_id):
                alerts.discard(alert_id)
            case AdmissionDecided() | Candidate() | RunRequested() as one:
                runs.discard(one.run_id)
                playbooks.discard(one.playbook)
            case PlaybookSet(name=name):
                playbooks.discard(name)
            case _:
                pass
        if entry.topic == ALERTS.name:
            alerts.discard(alert_id_for_record(entry.topic, entry.partition, entry.offset))
        elif entry.topic == RUN_INBOX.name:
            runs.discard(_text(entry.key))

    def _gather_run(self, one: Candidate | RunRequested) -> None:
        alert_id = one.alert.id if one.alert else ""
        is_child = one.parent is not None and one.parent.run_id in self.runs
        if is_child or self._is_asked(one.playbook, one.request_id, alert_id):
            self.runs.add(one.run_id)
        if one.run_id in self.runs:
            self.playbooks.add(one.playbook)
            self.revisions.add(one.revision)
            self._gather_children(one.children)
            self._gather_alert(one.alert)

    def _gather_children(self, children: tuple[PinnedChild, ...]) -> None:
        for child in children:
            self.playbooks.add(child.playbook)
            self.revisions.add(child.revision)

    def _gather_alert(self, alert: Alert | None) -> None:
        if alert is not None:
            self.alerts.add(alert.id)
            if alert.endpoint:
                self.endpoints.add(alert.endpoint)

    def _is_asked(self, playbook: str, request_id: str, alert_id: str) -> bool:
        return (
            playbook in self._asked_playbooks
            or request_id in self._asked_alerts
            or alert_id in self._asked_alerts
        )

    def _is_letter_of_ours(self, letter: DeadLetter) -> bool:
        if letter.topic == ALERTS.name:
            return alert_id_for_record(letter.topic, letter.partition, letter.offset) in self.alerts
        key = _text(letter.key)
        if letter.topic == ADMISSIONS.name:
            return key in self._asked_playbooks
        return letter.topic in _OF_A_RUN and key in self.runs

    def takes(self, entry: Entry) -> bool:
        """The record belongs to the selection."""
        if entry.topic in _OF_A_RUN:
            return _text(entry.key) in self.runs
        if entry.topic == ALERTS.name:
            return self._takes_alert(entry)
        record = entry.record
        return isinstance(record, Record) and self._takes_record(entry, record)

    def _takes_alert(self, entry: Entry) -> bool:
        # By its place too: the id of a producer's alert, whatever form it has.
        if alert_id_for_record(entry.topic, entry.partition, entry.offset) in self.alerts:
            return True
        return isinstance(entry.record, AlertReceived) and entry.record.alert_id in self.alerts

    def _takes_record(self, entry: Entry, record: Record) -> bool:
        match record:
            case AlertMatched(alert_id=alert_id):
                return alert_id in self.alerts
            case AlertRecovered(alert_id=alert_id, playbook=playbook):
                return alert_id in self.alerts or playbook in self._asked_playbooks
            case AdmissionDecided() | Candidate() | RunEnded() | CandidateCancelled():
                return record.run_id in self.runs or record.playbook in self._asked_playbooks
            case RevisionAdded(digest=digest, playbook=playbook):
                return digest in self.revisions or playbook in self._asked_playbooks
            case PlaybookSet(name=name):
                return name in self.playbooks
            case EndpointSet(name=name):
                return name in self.endpoints
            case SwitchSet():
                return True
            case DeadLetter():
                return (entry.partition, entry.offset) in self.letters
            case DeadLetterHandled(partition=partition, offset=offset):
                return (partition, offset) in self.letters
            case _:
                # Of admissions: what concerns a whole playbook (its switch, its timers).
                return entry.topic == ADMISSIONS.name and _text(entry.key) in self._asked_playbooks


async def selected(log: Log, plan: Plan) -> Selected:
    """All ids that belong to a plan's selection: read from the oldest record kept to the plan's end."""
    found = Selected(plan.selection)
    # The last two only to know whether there is what was asked for, also where nothing came of it.
    topics = {*GATHERED} | ({ALERTS.name} if plan.selection.alerts else set())
    topics |= {CATALOG.name} if plan.selection.playbooks else set()
    until = {place: end for place, (_, end) in plan.bounds.items() if place[0] in topics and end}
    before = -1
    while until and found.count > before:
        before = found.count
        async with aclosing(log.read({}, until)) as batches:
            async for batch in batches:
                for entry in batch:
                    found.gather(entry)
    return found


def _text(key: bytes | None) -> str:
    return (key or b"").decode(errors="replace")
