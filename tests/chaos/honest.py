"""A history as it must be, made by the engine alone: what the checker's own tests tamper with.

One partition a topic, a clock that ticks, a target and a Datadog that never fail.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict

from connectors.actions.registry import specs
from connectors.event_log import Entry
from engine.admission.rows import encode_row as encode_admission
from engine.catalog import Catalog
from engine.matching import matched_records
from engine.playbook.canonical import canonical_json, digest
from engine.playbook.reading import read
from engine.posting import event_to_post, identity
from engine.run.state import encode_row as encode_run
from schemas.alerts import Alert, AlertReceived
from schemas.catalog import PlaybookSet, RevisionAdded
from schemas.codec import encode
from schemas.events import JournalRecord, Reported, StepGranted, StepRequested
from schemas.fields import Record
from schemas.inbox import StepClaimed, StepFinished
from schemas.outgoing import Outgoing
from schemas.publications import Published
from schemas.topics import ALERTS, CATALOG, PUBLICATIONS, RUN_INBOX, Topic
from streams.notified import Notified
from streams.notified import encode_row as encode_notified
from streams.rows import HEADER, header, packed
from tests.chaos.history import Call, History
from tests.chaos.playbooks import SITUATION
from tests.chaos.refolding import Admissions, Inbox

PLAYBOOK = """\
playbook: honest
on: {alert: {endpoint: chaos}}
admission: {max_running: 2, while_running: parallel}
steps:
  - {id: note, action: http.request, with: {method: PUT, url: "http://target/note"}}
  - {id: act, action: http.request, with: {method: POST, url: "http://target/act"}}
  - publish: {title: "done for ${{ alert.scope }}"}
report: [succeeded, failed]
"""


class Honest:
    """Builds a history; `settle` lets everything come to its end."""

    def __init__(self) -> None:
        self.topics: dict[str, list[Entry]] = defaultdict(list)
        self.calls: list[Call] = []
        self.posts: list[tuple[str, ...]] = []
        self.now_ms = 1_800_000_000_000
        self._catalog = Catalog()
        self._admissions = Admissions(self._catalog, SITUATION)
        self._inbox = Inbox(self._catalog)
        self._done: dict[str, int] = defaultdict(int)
        self._requests: dict[tuple[str, str, int], tuple[StepRequested, int]] = {}
        playbook, problems, _ = read(PLAYBOOK, "honest.yaml", specs())
        assert playbook is not None, problems
        revision = digest(playbook)
        added = RevisionAdded(
            actor="test",
            at_ms=0,
            digest=revision,
            playbook="honest",
            canonical=canonical_json(playbook),
            source=PLAYBOOK,
        )
        self._append(CATALOG, f"revision/{revision}", added)
        active = PlaybookSet(actor="test", at_ms=0, name="honest", digest=revision)
        self._append(CATALOG, "playbook/honest", active)
        for entry in self.topics["catalog"]:
            self._catalog.apply(entry.offset, entry.record)

    def alert(self, number: int) -> str:
        """One alert arrives; its id."""
        alert_id = f"a-{number}"
        alert = Alert(
            id=alert_id, endpoint="chaos", title="hot", transition="Triggered", scope=f"host:{number}"
        )
        received = AlertReceived(
            alert_id=alert_id, endpoint="chaos", received_at_ms=self.now_ms, raw=b"{}", alert=alert
        )
        self._append(ALERTS, alert_id, received)
        return alert_id

    def settle(self) -> History:
        """Whatever there is to do is done; the history."""
        steps = {
            "alerts": self._match,
            "admissions": self._admit,
            "run-inbox": self._advance,
            "run-journal": self._act,
        }
        while any(self._done[name] < len(self.topics[name]) for name in steps):
            for name, step in steps.items():
                while self._done[name] < len(self.topics[name]):
                    step(self.topics[name][self._done[name]])
                    self._done[name] += 1
        alerts = self.topics["alerts"]
        return History(
            topics={name: tuple(entries) for name, entries in self.topics.items()},
            situation=SITUATION,
            accepted=frozenset(
                one.record.alert_id for one in alerts if isinstance(one.record, AlertReceived)
            ),
            produced=frozenset((one.partition, one.offset) for one in alerts),
            calls=tuple(self.calls),
            posts=tuple(self.posts),
            now_ms=self.now_ms,
        )

    def _match(self, entry: Entry) -> None:
        assert isinstance(entry.record, AlertReceived)
        self._send(matched_records(entry.record, entry.cause, self._catalog))

    def _admit(self, entry: Entry) -> None:
        before = dict(self._admissions.rows)
        self._send(self._admissions.fold(entry))
        after = self._admissions.rows
        changed = {
            key: None if key not in after else encode_admission(after[key][0])
            for key in sorted(before.keys() | after.keys())
            if before.get(key) != after.get(key)
        }
        self._rows("processor-admissions-changelog", entry, changed)

    def _advance(self, entry: Entry) -> None:
        sends = self._inbox.fold(entry)
        self._send(sends)
        if sends:
            run_id = sends[0].key
            self._rows("processor-runs-changelog", entry, {run_id: encode_run(self._inbox.rows[run_id])})

    def _act(self, entry: Entry) -> None:
        """Executor and sink in one."""
        record = entry.record
        assert isinstance(record, JournalRecord)
        reports = 0
        for event in record.events:
            match event:
                case StepRequested():
                    self._requests[record.run_id, event.step, event.attempt] = event, record.seq
                    if event.repeatable:
                        self._call(record.run_id, event, record.seq)
                    else:
                        self._claim(record.run_id, event, record.seq)
                case StepGranted():
                    self._call(record.run_id, *self._requests[record.run_id, event.step, event.attempt])
                case Reported():
                    self._post(record, event, reports)
                    reports += 1
        if reports:
            row = encode_notified(Notified(record.seq, reports))
            self._rows("sink-notified-changelog", entry, {record.run_id: row})

    def _claim(self, run_id: str, request: StepRequested, seq: int) -> None:
        claim = StepClaimed(
            run_id=run_id,
            step=request.step,
            attempt=request.attempt,
            answers_seq=seq,
            instance="executor",
            boot="one",
            booted_at_ms=1,
        )
        self._append(RUN_INBOX, run_id, claim)

    def _call(self, run_id: str, request: StepRequested, seq: int) -> None:
        self.calls.append(Call(request.idempotency_key, "POST", f"/{request.step}", self.now_ms))
        answer = StepFinished(
            run_id=run_id,
            step=request.step,
            attempt=request.attempt,
            answers_seq=seq,
            status="succeeded",
            output={"status": 200},
            instance="executor",
            boot="one",
        )
        self._append(RUN_INBOX, run_id, answer)

    def _post(self, record: JournalRecord, report: Reported, index: int) -> None:
        self.posts.append((*report.tags, f"pulsebook_id:{identity(record.run_id, record.seq, index)}"))
        event = event_to_post(report, record.run_id, record.seq, index, record.at_ms, self.now_ms, False)
        published = Published(
            run_id=record.run_id,
            seq=record.seq,
            index=index,
            event_id="1",
            sent={**asdict(event), "tags": list(event.tags)},
            at_ms=self.now_ms,
        )
        self._append(PUBLICATIONS, record.run_id, published)

    def _rows(self, changelog: str, entry: Entry, rows: Mapping[str, bytes | None]) -> None:
        for key, row in rows.items():
            marked = row is None or len(rows) > 1
            self.raw(
                changelog,
                key.encode(),
                None if row is None else packed(entry.offset, row),
                [(HEADER, header(entry.offset, len(rows))[0][1])] if marked else [],
            )

    def _send(self, sends: Sequence[Outgoing]) -> None:
        for one in sends:
            self._append(one.topic, one.key, one.record)

    def _append(self, topic: Topic, key: str, record: Record) -> None:
        self.raw(topic.name, key.encode(), encode(record))

    def raw(
        self, topic: str, key: bytes, value: bytes | None, headers: Sequence[tuple[str, bytes]] = ()
    ) -> None:
        """Put bytes on a topic, as they are."""
        self.now_ms += 10
        offset = len(self.topics[topic])
        self.topics[topic].append(Entry(topic, 0, offset, self.now_ms, key, value, tuple(headers)))
