"""The web process on a real Kafka: 202 means durable, 503 that it is not, and an answer means it is in
force.
"""

import asyncio
import json
import os
import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from connectors.local_kafka import LocalKafka
from connectors.topics_admin import create_topics, planned_topics
from schemas.inbox import CancelRequested
from schemas.outgoing import Outgoing
from schemas.redriven import HEADER as REDRIVEN_HEADER
from schemas.topics import (
    ALERTS,
    DEAD_LETTERS,
    DECISIONS,
    PUBLICATIONS,
    RUN_INBOX,
    RUN_JOURNAL,
)
from tests.console.real_web import Real, ready, web_on
from tests.console.samples import ALERT, LETTER, PUBLISHED, RUN, WHOLE_RUN, decided, matched, with_fields
from tests.console.test_catalog_api import BOOK

pytestmark = pytest.mark.kafka

RUN_ENDS = CancelRequested(run_id="k3", actor="mira")


@pytest.fixture
async def real(kafka_servers: str, topic_prefix: str, tmp_path: Path) -> AsyncIterator[Real]:
    await create_topics({"bootstrap_servers": kafka_servers}, planned_topics(topic_prefix, 2, 1))
    async with web_on(kafka_servers, topic_prefix, tmp_path) as made:
        await ready(made)
        yield made


@pytest.fixture
def own_broker(tmp_path: Path, kafka_cache_dir: Path) -> Iterator[LocalKafka]:
    """A broker that a test may stop."""
    broker = LocalKafka(tmp_path / "kafka", kafka_cache_dir)
    yield broker
    broker.stop()


async def test_an_alert_that_was_answered_with_202_is_on_its_topic_for_everybody(real: Real) -> None:
    url = await real.new_endpoint()

    answers = await asyncio.gather(*(real.client.post(url, json={"title": str(n)}) for n in range(50)))

    assert {answer.status_code for answer in answers} == {202}
    told = {answer.json()["alert_id"] for answer in answers}
    assert {record.alert_id for record in await real.alerts()} == told
    assert len(told) == 50


async def test_a_change_is_in_force_when_its_answer_comes(real: Real) -> None:
    for number in range(5):
        source = BOOK.replace("hello", f"hello {number}")
        applied = (await real.client.post("/api/v1/playbooks", json={"source": source})).json()
        shown = (await real.client.get("/api/v1/playbooks/restart")).json()
        assert (applied["outcome"], shown["digest"], shown["source"]) == (
            "applied",
            applied["digest"],
            source,
        )
    assert (await real.client.delete("/api/v1/playbooks/restart")).status_code == 204
    assert (await real.client.get("/api/v1/playbooks/restart")).status_code == 404


async def test_the_read_model_tells_what_is_on_the_topics_also_when_it_is_made_again(
    real: Real, kafka_servers: str, topic_prefix: str, tmp_path: Path
) -> None:
    url = await real.new_endpoint()
    await real.client.post(url, json={"title": "hot", "id": "1"})
    async with aclosing(real.log.read()) as batches:
        places = [entry async for batch in batches for entry in batch if entry.topic == ALERTS.name]
    alert = matched(partition=places[0].partition, offset=places[0].offset)
    for topic, key, record in (
        (DECISIONS, ALERT, alert),
        (DECISIONS, ALERT, decided("started")),
        *((RUN_JOURNAL, RUN, record) for record in WHOLE_RUN),
        (PUBLICATIONS, RUN, PUBLISHED),
    ):
        await real.writer.send(Outgoing(topic, key, record))

    async def told(web: Real) -> list[Any]:
        async with asyncio.timeout(30):
            while web.model.state.records < 5:
                await asyncio.sleep(0.05)
        paths = (f"/runs/{RUN}", f"/alerts/{ALERT}/trace", f"/alerts/{ALERT}", "/publications")
        return [(await web.client.get(f"/api/v1{path}")).json() for path in paths]

    first = await told(real)
    assert first[0]["status"] == "succeeded"
    assert first[1]["playbooks"][0]["runs"][0]["run_id"] == RUN
    assert first[2]["alert"]["title"] == "hot"

    (tmp_path / "again").mkdir()
    async with web_on(kafka_servers, topic_prefix, tmp_path / "again") as again:
        assert await told(again) == first


async def test_a_dead_letter_is_redriven_to_the_partition_of_its_key_and_that_is_known_for_good(
    real: Real, tmp_path: Path, kafka_servers: str, topic_prefix: str
) -> None:
    for number in range(6):
        # As whoever could not handle it writes it: under the key of the message.
        made = with_fields(LETTER, key=f"k{number}".encode(), topic=RUN_INBOX.name, headers={"b3": b"\xff"})
        await real.writer.send(Outgoing(DEAD_LETTERS, f"k{number}", made))
    at_first = await real.writer.send(Outgoing(RUN_INBOX, "k3", RUN_ENDS))

    async with asyncio.timeout(30):
        while len(found := (await real.client.get("/api/v1/dead-letters")).json()["items"]) < 6:
            await asyncio.sleep(0.05)
    by_key = {(await letter_of(real, each["id"]))["key"]: each["id"] for each in found}
    answer = await real.client.post(f"/api/v1/dead-letters/{by_key['k3']}/redrive", json={"reason": "mended"})
    dropped = await real.client.post(f"/api/v1/dead-letters/{by_key['k4']}/drop")

    assert (answer.status_code, dropped.status_code) == (200, 200), answer.text
    topic, partition, offset = answer.json()["lies_at"].split("/")
    assert (topic, int(partition)) == (RUN_INBOX.name, at_first.partition)
    message = await real.log.at(topic, int(partition), int(offset))
    assert message is not None
    assert (message.key, message.value) == (b"k3", LETTER.value)
    headers = dict(message.headers)
    assert headers["b3"] == b"\xff"
    place = by_key["k3"].replace("-", "/")
    assert json.loads(headers[REDRIVEN_HEADER])["letter"] == f"dead-letters/{place}"
    assert (await real.client.post(f"/api/v1/dead-letters/{by_key['k3']}/redrive")).status_code == 409

    (tmp_path / "again").mkdir()
    async with web_on(kafka_servers, topic_prefix, tmp_path / "again") as again:
        await ready(again)
        listed = (await again.client.get("/api/v1/dead-letters")).json()["items"]
        assert {each["id"]: each["state"] for each in listed} == {
            **dict.fromkeys(by_key.values(), "open"),
            by_key["k3"]: "redriven",
            by_key["k4"]: "dropped",
        }


async def letter_of(real: Real, letter_id: str) -> dict[str, Any]:
    found: dict[str, Any] = (await real.client.get(f"/api/v1/dead-letters/{letter_id}")).json()
    return found


@pytest.mark.slow
async def test_a_broker_that_goes_means_503_in_time_and_one_that_comes_back_202(
    own_broker: LocalKafka, tmp_path: Path
) -> None:
    servers = await asyncio.to_thread(own_broker.start)
    await create_topics({"bootstrap_servers": servers}, planned_topics("p.", 1, 1))
    async with web_on(servers, "p.", tmp_path, durable_within_s=3.0) as web:
        await ready(web)
        url = await web.new_endpoint()
        assert (await web.client.post(url, json={"title": "before"})).status_code == 202

        await asyncio.to_thread(own_broker.stop)
        began = time.monotonic()
        away = await asyncio.gather(*(web.client.post(url, json={"title": str(n)}) for n in range(20)))
        assert time.monotonic() - began < 8
        assert {answer.status_code for answer in away} == {503}
        assert all(answer.headers["retry-after"] for answer in away)
        assert (await web.client.get("/healthz")).status_code == 200

        await asyncio.to_thread(own_broker.start)
        async with asyncio.timeout(60):
            while (answer := await web.client.post(url, json={"title": "after"})).status_code != 202:
                assert answer.status_code == 503
        titles = [record.alert.title for record in await web.alerts() if record.alert]
        assert "before" in titles and "after" in titles


@pytest.mark.slow
async def test_after_a_broker_that_stood_still_it_is_ready_within_seconds_without_traffic(
    own_broker: LocalKafka, tmp_path: Path
) -> None:
    servers = await asyncio.to_thread(own_broker.start)
    await create_topics({"bootstrap_servers": servers}, planned_topics("p.", 1, 1))
    async with web_on(servers, "p.", tmp_path, durable_within_s=2.0) as web:
        await ready(web)
        url = await web.new_endpoint()
        os.kill(own_broker.pid, signal.SIGSTOP)
        try:
            assert (await web.client.post(url, json={"title": "lost"})).status_code == 503
            answer = await web.client.get("/readyz")
            assert "the last record that was sent was not acknowledged" in answer.json()["missing"]
        finally:
            os.kill(own_broker.pid, signal.SIGCONT)
        async with asyncio.timeout(8):
            while (await web.client.get("/readyz")).status_code != 200:
                await asyncio.sleep(0.2)
        assert (await web.client.post(url, json={"title": "after"})).status_code == 202


@pytest.mark.slow
async def test_without_a_broker_at_the_start_it_serves_and_says_503_until_there_is_one(
    own_broker: LocalKafka, tmp_path: Path
) -> None:
    servers = await asyncio.to_thread(own_broker.start)
    await create_topics({"bootstrap_servers": servers}, planned_topics("p.", 1, 1))
    async with web_on(servers, "p.", tmp_path) as web:
        await ready(web)
        url = await web.new_endpoint()
    await asyncio.to_thread(own_broker.stop)

    async with web_on(servers, "p.", tmp_path / "other") as web:
        for path in (url, "/hooks/nobody/wrong"):
            assert (await web.client.post(path, json={"title": "early"})).status_code == 503
        missing = (await web.client.get("/readyz")).json()["missing"]
        assert any("catalog" in each for each in missing)
        await asyncio.to_thread(own_broker.start)
        await ready(web)
        assert (await web.client.post(url, json={"title": "late"})).status_code == 202
        assert (await web.client.post("/hooks/nobody/wrong", json={})).status_code == 404
