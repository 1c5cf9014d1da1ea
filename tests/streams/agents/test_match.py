"""match: one decision for each alert, a candidate for each playbook that fits, a dead letter for what
is none.
"""

import json
from typing import Any

import pytest

from schemas.admissions import AlertRecovered, Candidate
from schemas.codec import encode
from schemas.confluent import WriterSchema
from schemas.dead_letters import DeadLetter
from schemas.decisions import AlertMatched
from schemas.errors import UnknownSchema
from schemas.ids import alert_id_for_record
from schemas.redriven import HEADER, Redriven, marked
from tests.streams.agents.bench import match_bench
from tests.streams.bench import Bench
from tests.streams.books import Followed, finished, received


async def test_an_alert_that_fits_becomes_a_decision_and_a_candidate(bench: Bench) -> None:
    one = await match_bench(bench, Followed())
    sent = await one.take(received(1))
    assert [topic for topic, _ in sent] == ["decisions", "admissions"]
    matched, candidate = (record for _, record in sent)
    assert isinstance(matched, AlertMatched) and [looked.matched for looked in matched.looked] == [True]
    assert isinstance(candidate, Candidate) and candidate.request_id == "a-1"
    assert candidate.catalog_offset == matched.catalog_offset == 2
    assert bench.consumer.acked == [0]


async def test_an_alert_that_fits_nothing_is_decided_against(bench: Bench) -> None:
    one = await match_bench(bench, Followed())
    [(topic, matched)] = await one.take(received(1, endpoint="other"))
    assert topic == "decisions"
    assert not any(looked.matched for looked in matched.looked)


async def test_a_recovery_is_handed_to_the_playbooks_that_it_may_concern(bench: Bench) -> None:
    one = await match_bench(bench, Followed())
    sent = await one.take(received(1, transition="Recovered"))
    assert any(isinstance(record, AlertRecovered) for _, record in sent)


async def test_a_producer_s_json_gets_the_id_of_its_place_and_the_endpoint_of_its_header(
    bench: Bench,
) -> None:
    one = await match_bench(bench, Followed())
    value = json.dumps({"title": "CPU is high", "metadata": {"ALERT_TRANSITION": "Triggered"}}).encode()
    sent = dict(await one.take(value, None, headers={"endpoint": b"demo"}))
    assert sent["decisions"].alert_id == alert_id_for_record("alerts", 0, 0)
    assert sent["admissions"].alert.endpoint == "demo"
    assert sent["admissions"].alert.source == "kafka"


async def test_a_producer_s_json_that_was_put_back_twice_is_the_same_alert_as_at_its_first_place(
    bench: Bench,
) -> None:
    """Two web processes may put one dead letter back at once; admission answers the second as the first."""
    one = await match_bench(bench, Followed())
    value = json.dumps({"title": "CPU is high", "metadata": {"ALERT_TRANSITION": "Triggered"}}).encode()
    mark = Redriven(at_ms=1, by="ada", letter="dead-letters/0/3", origin="alerts/3/11")
    headers = {"endpoint": b"demo", HEADER: marked(mark)}
    sent = [dict(await one.take(value, None, headers=headers)) for _ in range(2)]
    assert {each["decisions"].alert_id for each in sent} == {alert_id_for_record("alerts", 3, 11)}
    assert len({each["admissions"].run_id for each in sent}) == 1


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"\xc3\x01garbage", "single-object encoding"),
        (b"\xc3\x01" + b"x" * 40, "schema"),
        (encode(received(1))[:-9], "cut off or damaged"),
        (b"\xff\xfe\x00", ""),
        (b"[1, 2]", "not an object"),
        (None, "no value"),
        (b"\x00\x00\x00\x00\x07payload", "no schema registry is set"),
    ],
)
async def test_what_cannot_be_read_is_a_dead_letter_and_blocks_nothing(
    bench: Bench, value: bytes | None, reason: str
) -> None:
    one = await match_bench(bench, Followed())
    [(topic, letter)] = await one.take(value, "key", headers={"h": b"1"})
    assert topic == "dead-letters"
    assert isinstance(letter, DeadLetter)
    assert (letter.topic, letter.partition, letter.offset, letter.stage) == ("alerts", 0, 0, "match")
    assert (letter.key, letter.value, letter.headers) == (b"key", value, {"h": b"1"})
    assert reason in letter.reason
    assert bench.consumer.acked == [0]
    assert len(await one.take(received(2))) == 2


async def test_a_record_of_another_topic_is_a_dead_letter(bench: Bench) -> None:
    one = await match_bench(bench, Followed())
    [(topic, letter)] = await one.take(finished("r-1", "one", 1))
    assert (topic, letter.reason) == ("dead-letters", "a StepFinished on the topic of alerts")


async def test_an_alert_that_was_understood_as_nothing_is_decided_and_listed(bench: Bench) -> None:
    one = await match_bench(bench, Followed())
    sent = dict(await one.take(b'{"unknown": "fields only"}'))
    assert sent["decisions"].unparsable
    assert sent["dead-letters"].reason == sent["decisions"].unparsable


async def test_confluent_avro_is_read_by_the_registry_s_schema(bench: Bench) -> None:
    asked: list[int] = []

    async def schema_of(schema_id: int) -> WriterSchema:
        asked.append(schema_id)
        return WriterSchema(None)

    one = await match_bench(bench, Followed(), schema_of)
    value = b"\x00\x00\x00\x00\x07" + json.dumps({"title": "CPU is high"}).encode()
    sent = dict(await one.take(value, headers={"endpoint": b"demo"}))
    assert asked == [7]
    assert sent["admissions"].alert.title == "CPU is high"


async def test_a_schema_that_the_registry_does_not_know_makes_a_dead_letter(bench: Bench) -> None:
    async def schema_of(schema_id: int) -> WriterSchema:
        raise UnknownSchema("no such schema", str(schema_id))

    one = await match_bench(bench, Followed(), schema_of)
    [(_, letter)] = await one.take(b"\x00\x00\x00\x00\x07{}")
    assert letter.reason == "the schema 7 was not found in the registry: no such schema"
    assert bench.consumer.paused == set()


async def test_an_error_inside_is_a_dead_letter_without_the_alert_s_words(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> Any:
        raise KeyError("CPU is high")

    monkeypatch.setattr("streams.agents.match.matched_records", broken)
    one = await match_bench(bench, Followed())
    [(_, letter)] = await one.take(received(1))
    assert letter.reason.startswith("an error inside Pulsebook: KeyError at test_match.py")
    assert "CPU" not in letter.reason + letter.detail


async def test_an_alert_below_the_watermark_is_not_matched_again(bench: Bench) -> None:
    one = await match_bench(bench, Followed())
    await one.take(received(1))
    one.ledger._watermarks.due(0)
    assert await one.take(received(1), offset=0) == []
    assert bench.consumer.acked == [0, 0]
