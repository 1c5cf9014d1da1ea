"""Dealing with dead letters: what goes back and how, what cannot, and that a second time is noticed."""

import asyncio
import json
from typing import Any

import httpx
import pytest

from schemas import codec
from schemas.alerts import AlertReceived
from schemas.dead_letters import VALUE_BYTES_MAX, DeadLetter, DeadLetterHandled
from schemas.outgoing import AsItCame
from schemas.redriven import HEADER, first_place
from schemas.topics import ADMISSIONS, ALERTS, DEAD_LETTERS, RUN_INBOX
from tests.console.conftest import MakeWeb, Web
from tests.console.samples import LETTER, with_fields

CUT = with_fields(LETTER, value=b"x" * VALUE_BYTES_MAX)
UNREADABLE = AlertReceived(alert_id="a-1", endpoint="demo", received_at_ms=1, raw=b"?", problem="no JSON")


async def post(web: Web, letter_id: str, verb: str, **body: Any) -> httpx.Response:
    return await web.client.post(f"/api/v1/dead-letters/{letter_id}/{verb}", json=body)


async def letter(web: Web, made: DeadLetter = LETTER) -> str:
    """A dead letter that the read model knows; its id."""
    stored = await web.log.append(DEAD_LETTERS, made.key, codec.encode(made))
    await web.read()
    return f"{stored.partition}-{stored.offset}"


def put_back(web: Web) -> list[AsItCame]:
    return [message for message in web.log.put if message.topic is not DEAD_LETTERS]


@pytest.mark.parametrize("topic", [ALERTS, ADMISSIONS, RUN_INBOX], ids=lambda topic: topic.name)
async def test_a_message_goes_back_to_its_topic_with_its_bytes_key_and_headers(web: Web, topic: Any) -> None:
    letter_id = await letter(web, with_fields(LETTER, topic=topic.name))

    answer = await post(web, letter_id, "redrive", reason="mended")

    assert answer.status_code == 200, answer.text
    (message,) = put_back(web)
    assert (message.topic, message.key, message.value) == (topic, LETTER.key, LETTER.value)
    assert message.partition is None, "its key says where, as for whoever wrote it"
    headers = dict(message.headers)
    assert headers["endpoint"] == b"demo"
    mark = json.loads(headers[HEADER])
    assert (mark["by"], mark["letter"]) == ("local", f"dead-letters/{letter_id.replace('-', '/')}")
    assert mark["at_ms"] > 1_700_000_000_000
    assert mark["origin"] == f"{topic.name}/3/11"
    said = answer.json()
    assert (said["outcome"], said["actor"], said["reason"]) == ("redriven", "local", "mended")
    partition, offset = said["lies_at"].removeprefix(f"{topic.name}/").split("/")
    assert web.log.messages[topic.name, int(partition)][int(offset)].value == LETTER.value


async def test_a_message_without_a_key_goes_back_without_one(web: Web) -> None:
    letter_id = await letter(web, with_fields(LETTER, key=None))
    assert (await post(web, letter_id, "redrive")).status_code == 200
    (message,) = put_back(web)
    assert message.key is None


async def test_a_message_that_fails_again_and_is_put_back_again_still_knows_where_it_stood_first(
    web: Web,
) -> None:
    assert (await post(web, await letter(web), "redrive")).status_code == 200
    (message,) = put_back(web)
    again = with_fields(LETTER, partition=0, offset=99, headers=dict(message.headers))

    assert (await post(web, await letter(web, again), "redrive")).status_code == 200

    places = [first_place(("alerts", 0, 0), dict(each.headers)) for each in put_back(web)]
    assert places == [("alerts", 3, 11)] * 2


async def test_a_letter_that_was_dealt_with_is_not_open_and_a_second_time_is_refused(web: Web) -> None:
    letter_id = await letter(web)
    assert (await post(web, letter_id, "redrive")).status_code == 200

    for verb in ("redrive", "drop"):
        again = await post(web, letter_id, verb)
        assert again.status_code == 409
        assert again.json()["detail"].startswith(
            f"the dead letter {letter_id} was redriven already, by local"
        )
    assert len(put_back(web)) == 1
    assert (await web.client.get("/api/v1/dead-letters?state=open")).json()["items"] == []
    (listed,) = (await web.client.get("/api/v1/dead-letters")).json()["items"]
    assert listed["state"] == "redriven"

    assert (await post(web, letter_id, "drop", again=True, reason="enough")).status_code == 200
    shown = (await web.client.get(f"/api/v1/dead-letters/{letter_id}")).json()
    assert shown["state"] == "dropped"
    assert [each["outcome"] for each in shown["handled"]] == ["redriven", "dropped"]


async def test_of_two_redrives_at_once_one_is_refused(web: Web) -> None:
    letter_id = await letter(web)
    answers = await asyncio.gather(*(post(web, letter_id, "redrive") for _ in range(2)))
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    assert len(put_back(web)) == 1


async def test_dropping_is_a_record_behind_the_letter_under_its_key(web: Web) -> None:
    letter_id = await letter(web)
    assert (await post(web, letter_id, "drop", reason="a typo of mine")).status_code == 200
    partition = int(letter_id.split("-")[0])
    first, second = web.log.messages[DEAD_LETTERS.name, partition]
    assert (first.key, second.key) == (LETTER.key, LETTER.key)
    record = codec.decode(second.value)
    assert isinstance(record, DeadLetterHandled)
    assert (record.partition, record.offset, record.outcome) == (partition, 0, "dropped")
    assert (record.actor, record.reason, record.topic, record.to_offset) == (
        "local",
        "a typo of mine",
        "",
        None,
    )


@pytest.mark.parametrize(
    ("made", "says"),
    [
        (CUT, "was cut at 800 KiB"),
        (with_fields(LETTER, topic="run-journal"), "takes no inputs; drop it"),
        (with_fields(LETTER, value=codec.encode(UNREADABLE)), "pulsebook alert send FILE"),
    ],
    ids=["cut", "journal", "unparsable"],
)
async def test_what_cannot_go_back_is_refused_with_the_reason_and_stays_open(
    web: Web, made: DeadLetter, says: str
) -> None:
    letter_id = await letter(web, made)

    answer = await post(web, letter_id, "redrive")

    assert answer.status_code == 422
    assert says in answer.json()["detail"]
    assert web.log.put == []
    shown = (await web.client.get(f"/api/v1/dead-letters/{letter_id}")).json()
    assert says in shown["cannot_be_redriven"]
    assert shown["state"] == "open"
    assert (await post(web, letter_id, "drop")).status_code == 200


@pytest.mark.parametrize("name", ["0-99", "x", "9-0"])
async def test_a_letter_that_is_not_there_can_be_neither_redriven_nor_dropped(web: Web, name: str) -> None:
    for verb in ("redrive", "drop"):
        assert (await post(web, name, verb)).status_code == 404


async def test_a_broker_that_is_away_leaves_the_letter_open(web: Web) -> None:
    letter_id = await letter(web)
    web.log.broken = True
    for verb in ("redrive", "drop"):
        assert (await post(web, letter_id, verb)).status_code == 503
    web.log.broken = False
    assert (await post(web, letter_id, "redrive")).status_code == 200


async def test_a_redrive_that_could_not_be_recorded_says_where_the_message_lies(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    letter_id = await letter(web)
    whole = web.log.put_back

    async def but_not_the_record(message: AsItCame) -> Any:
        web.log.broken = message.topic is DEAD_LETTERS
        return await whole(message)

    monkeypatch.setattr(web.log, "put_back", but_not_the_record)

    answer = await post(web, letter_id, "redrive")

    assert answer.status_code == 503
    assert "the message was put back as alerts/" in answer.json()["detail"]
    assert len(put_back(web)) == 1


async def test_a_viewer_may_look_and_an_operator_may_act(make_web: MakeWeb) -> None:
    web = await make_web(auth=True)
    await web.token("eve", "viewer", "t-viewer")
    await web.token("mira", "operator", "t-operator")
    letter_id = await letter(web)
    path = f"/api/v1/dead-letters/{letter_id}"
    viewer, operator = ({"Authorization": f"Bearer t-{role}"} for role in ("viewer", "operator"))

    assert (await web.client.get(path, headers=viewer)).status_code == 200
    for verb in ("redrive", "drop"):
        assert (await web.client.post(f"{path}/{verb}", headers=viewer)).status_code == 403
    answer = await web.client.post(f"{path}/redrive", headers=operator)
    assert answer.json()["actor"] == "mira"


async def test_letters_are_filtered_by_topic_stage_and_words_of_the_reason(web: Web) -> None:
    await letter(web)
    await letter(web, with_fields(LETTER, topic="run-inbox", stage="advance", reason="The Key is wrong"))

    async def found(**query: str) -> list[str]:
        answer = await web.client.get("/api/v1/dead-letters", params=query)
        return [each["stage"] for each in answer.json()["items"]]

    assert await found(topic="run-inbox") == ["advance"]
    assert await found(stage="match") == ["match"]
    assert await found(reason="key is") == ["advance"]
    assert await found(reason="%") == []


async def test_metrics_and_overview_count_what_is_open_redriven_and_dropped(web: Web) -> None:
    first, second, _ = [await letter(web) for _ in range(3)]
    await post(web, first, "redrive")
    await post(web, second, "drop")

    text = (await web.client.get("/metrics")).text

    for line in ('{state="open"} 1.0', '{state="redriven"} 1.0', '{state="dropped"} 1.0'):
        assert f"pulsebook_read_model_dead_letters{line}" in text
    overview = (await web.client.get("/api/v1/overview")).json()
    assert (overview["dead_letters"], overview["dead_letters_open"]) == (3, 1)
