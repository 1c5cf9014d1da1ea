"""Everything that follows from one record on `alerts`."""

from typing import Any

import msgspec
from msgspec.structs import replace

from engine.alert.facts import summary
from engine.catalog import Catalog
from engine.matching import matched_records
from engine.playbook.canonical import canonical_json, digest
from engine.playbook.model import ActionStep, AlertTrigger, Playbook
from schemas.admissions import AlertRecovered, Candidate, Hold
from schemas.alerts import Alert, AlertReceived
from schemas.catalog import PlaybookSet, RevisionAdded, SwitchSet
from schemas.decisions import AlertMatched
from schemas.ids import run_id
from schemas.outgoing import Cause, Outgoing
from tests.engine.alert.builders import a_recovery, an_alert

CAUSE = Cause("alerts", 2, 41, 1_795_316_672_500)
STEPS = (ActionStep(path="say", action="log"),)


def a_catalog(*playbooks: Playbook, disabled: tuple[str, ...] = ()) -> Catalog:
    catalog = Catalog()
    for playbook in playbooks:
        revision = digest(playbook)
        text = canonical_json(playbook)
        added = RevisionAdded(
            actor="ann", at_ms=1, digest=revision, playbook=playbook.name, canonical=text, source=""
        )
        catalog.apply(catalog.offset, added)
        enabled = playbook.name not in disabled
        held = PlaybookSet(actor="ann", at_ms=1, name=playbook.name, digest=revision, enabled=enabled)
        catalog.apply(catalog.offset, held)
    return catalog


def a_playbook(name: str, **trigger: Any) -> Playbook:
    return Playbook(name=name, alerts=(AlertTrigger(**trigger),), steps=STEPS)


def received(alert: Alert | None, **fields: Any) -> AlertReceived:
    given: dict[str, Any] = {
        "alert_id": alert.id if alert else "a-1",
        "endpoint": "datadog-prod",
        "received_at_ms": 1_795_316_672_400,
        "raw": b"",
        "alert": alert,
    }
    return AlertReceived(**given | fields)


def matched(sent: tuple[Outgoing, ...]) -> AlertMatched:
    record = sent[0].record
    assert isinstance(record, AlertMatched)
    return record


def test_a_matching_alert_gives_its_decision_and_a_candidate_with_all_that_admission_needs() -> None:
    catalog = a_catalog(a_playbook("restart"), a_playbook("other", monitor=("1",)))
    alert = an_alert()

    sent = matched_records(received(alert), CAUSE, catalog)

    assert [(one.topic.name, one.key, type(one.record)) for one in sent] == [
        ("decisions", "a-1", AlertMatched),
        ("admissions", "restart", Candidate),
    ]
    decision = matched(sent)
    assert [(one.playbook, one.matched, one.clause) for one in decision.looked] == [
        ("other", False, "monitor"),
        ("restart", True, ""),
    ]
    assert (decision.alert_id, decision.at_ms, decision.partition, decision.offset) == (
        "a-1",
        CAUSE.at_ms,
        2,
        41,
    )
    assert (decision.catalog_offset, decision.ruled_out, decision.recovery) == (4, 0, False)
    assert decision.summary == summary(alert, 1_795_316_672_400)
    assert sent[1].record == Candidate(
        request_id="a-1",
        playbook="restart",
        revision=catalog.playbooks["restart"].digest,
        catalog_offset=4,
        run_id=run_id("restart", "a-1"),
        alert=alert,
        received_at_ms=1_795_316_672_400,
    )


def test_an_alert_that_matches_nothing_still_has_its_decision() -> None:
    sent = matched_records(received(an_alert()), CAUSE, Catalog())

    assert len(sent) == 1
    assert matched(sent).looked == ()


def test_an_unparsable_alert_has_its_decision_with_the_reason() -> None:
    catalog = a_catalog(a_playbook("restart"))

    sent = matched_records(received(None, problem="the body is empty"), CAUSE, catalog)

    assert len(sent) == 1
    decision = matched(sent)
    assert (decision.unparsable, decision.looked) == ("the body is empty", ())
    assert decision.summary.endpoint == "datadog-prod"


def test_a_disabled_playbook_is_looked_at_and_not_matched_and_a_removed_one_is_gone() -> None:
    catalog = a_catalog(a_playbook("restart"), a_playbook("old"), disabled=("restart",))
    catalog.apply(catalog.offset, PlaybookSet(actor="ann", at_ms=1, name="old", digest=""))

    (decision,) = [matched(matched_records(received(an_alert()), CAUSE, catalog))]

    assert [(one.playbook, one.clause, one.detail) for one in decision.looked] == [
        ("restart", "disabled", "the playbook is disabled")
    ]


def test_a_revision_that_cannot_be_read_is_named_and_stops_nothing() -> None:
    catalog = a_catalog(a_playbook("restart"))
    catalog.apply(catalog.offset, PlaybookSet(actor="ann", at_ms=1, name="broken", digest="f" * 64))

    sent = matched_records(received(an_alert()), CAUSE, catalog)

    assert [(one.playbook, one.clause) for one in matched(sent).looked] == [
        ("broken", "revision"),
        ("restart", ""),
    ]
    assert len(sent) == 2


def test_playbooks_that_no_alert_can_start_are_counted_as_ruled_out() -> None:
    catalog = a_catalog(a_playbook("restart"), Playbook(name="called", steps=STEPS))

    decision = matched(matched_records(received(an_alert()), CAUSE, catalog))

    assert (len(decision.looked), decision.ruled_out) == (1, 1)


def test_a_recovery_goes_to_every_playbook_that_it_may_concern_disabled_ones_too() -> None:
    catalog = a_catalog(
        a_playbook("restart", when="alert.title.contains('Triggered')"),
        a_playbook("paused"),
        a_playbook("elsewhere", monitor=("1",)),
        disabled=("paused",),
    )

    sent = matched_records(received(a_recovery()), CAUSE, catalog)

    assert [(one.key, type(one.record)) for one in sent[1:]] == [
        ("paused", AlertRecovered),
        ("restart", AlertRecovered),
    ]
    assert matched(sent).recovery
    assert sent[2].record == AlertRecovered(
        alert_id="a-recovered",
        playbook="restart",
        revision=catalog.playbooks["restart"].digest,
        catalog_offset=catalog.offset,
        alert=a_recovery(),
    )


def test_a_playbook_triggered_by_recoveries_hears_of_the_recovery_before_it_may_start() -> None:
    catalog = a_catalog(a_playbook("celebrate", transition=("Recovered",)))

    sent = matched_records(received(a_recovery()), CAUSE, catalog)

    assert [type(one.record) for one in sent[1:]] == [AlertRecovered, Candidate]


def test_a_recovery_of_our_own_event_concerns_nobody() -> None:
    sent = matched_records(
        received(a_recovery(tag_list=("source:pulsebook",))), CAUSE, a_catalog(a_playbook("restart"))
    )

    assert len(sent) == 1
    assert not matched(sent).recovery


def test_a_producers_record_is_taken_under_the_id_and_endpoint_of_the_record() -> None:
    catalog = a_catalog(a_playbook("restart"))
    foreign = an_alert(id="", endpoint="", metadata={"n": 2**70, "t": "half \ud83d"})

    sent = matched_records(received(foreign, alert_id="a-7"), CAUSE, catalog)

    candidate = sent[1].record
    assert isinstance(candidate, Candidate) and candidate.alert is not None
    assert (candidate.alert.id, candidate.alert.endpoint) == ("a-7", "datadog-prod")
    assert candidate.alert.metadata == {"n": str(2**70), "t": "half \ufffd"}
    assert msgspec.msgpack.encode(candidate)


def test_a_producer_of_avro_may_leave_the_reading_of_the_raw_body_to_us() -> None:
    catalog = a_catalog(a_playbook("restart", monitor=("5",)))

    sent = matched_records(received(None, raw=b'{"title": "t", "ALERT_ID": 5}'), CAUSE, catalog)
    broken = matched_records(received(None, raw=b"<xml/>"), CAUSE, catalog)

    assert len(sent) == 2
    assert matched(broken).unparsable == "neither JSON nor a form: it begins with '<'"


def test_the_same_alert_and_catalog_give_the_same_records() -> None:
    catalog = a_catalog(a_playbook("restart"), a_playbook("other", when="alert.nope == 1"))

    first, again = (matched_records(received(a_recovery()), CAUSE, catalog) for _ in range(2))

    assert first == again


def switched(catalog: Catalog, name: str, value: Any) -> None:
    change = SwitchSet(name=name, value=value, actor="mira", at_ms=5)
    catalog.apply(catalog.offset, change)


def candidates_of(alert: Alert, catalog: Catalog, cause: Cause = CAUSE) -> dict[str, Candidate]:
    sent = matched_records(received(alert), cause, catalog)
    records = (one.record for one in sent)
    return {record.playbook: record for record in records if isinstance(record, Candidate)}


def test_a_candidate_says_what_pauses_its_playbook_at_that_offset_of_the_catalog() -> None:
    catalog = a_catalog(a_playbook("a"), a_playbook("b"))
    switched(catalog, "pause/a", True)

    found = candidates_of(an_alert(), catalog)

    assert found["a"].paused == Hold(name="pause/a", actor="mira", at_ms=5)
    assert found["b"].paused is None


def test_a_candidate_says_which_mute_fits_its_alert_by_the_brokers_time_of_the_alert() -> None:
    catalog = a_catalog(a_playbook("a"), a_playbook("b"))
    until_ms = CAUSE.at_ms + 1_000
    switched(catalog, "mute/m-1", {"tags": {"env": ["prod"]}, "playbooks": ["a"], "until_ms": until_ms})
    alert = an_alert(tag_list=("env:prod",))

    found = candidates_of(alert, catalog)
    later = candidates_of(alert, catalog, replace(CAUSE, at_ms=until_ms))

    assert found["a"].muted == Hold(name="mute/m-1", actor="mira", at_ms=5, until_ms=until_ms)
    assert (found["b"].muted, later["a"].muted) == (None, None)
    assert candidates_of(an_alert(tag_list=("env:dev",)), catalog)["a"].muted is None


def test_a_recovery_is_passed_on_whatever_is_paused_or_muted() -> None:
    catalog = a_catalog(a_playbook("a"))
    switched(catalog, "pause", True)
    switched(catalog, "mute/m-1", {"until_ms": CAUSE.at_ms + 1})

    sent = matched_records(received(a_recovery()), CAUSE, catalog)

    assert [type(one.record) for one in sent] == [AlertMatched, AlertRecovered]
