"""`datadog.post_event`: what is posted, and what a step makes of the answer."""

from typing import Any

import pytest

from connectors.actions.post_event import EventArguments, PostEvent
from schemas.actions import Call, Done, Failed
from schemas.posting import EventToPost, Posted, PostLater, PostRefused, PostResult

ACCEPTED = Posted("7", "u")


class Recording:
    """A poster that keeps events and answers as told."""

    def __init__(self, result: PostResult) -> None:
        self.result = result
        self.events: list[EventToPost] = []

    async def post(self, event: EventToPost) -> PostResult:
        self.events.append(event)
        return self.result


async def post(
    result: PostResult = ACCEPTED, secret_hosts: tuple[tuple[str, ...], ...] = (), **arguments: Any
) -> tuple[Done | Failed, list[EventToPost]]:
    poster = Recording(result)
    call = Call(
        run_id="r-1",
        step="tell",
        attempt=2,
        arguments={"title": "t", "text": "x"} | arguments,
        idempotency_key="k",
        timeout_s=5,
        repeatable=False,
        secret_hosts=secret_hosts,
    )
    return await PostEvent(poster, "api.datadoghq.com")(call), poster.events


async def test_the_step_returns_id_and_url() -> None:
    outcome, [event] = await post(tags=["env:prod"], alert_type="warning", priority="low", host="h")
    assert outcome == Done({"id": "7", "url": "u"})
    assert event == EventToPost(
        title="t",
        text="x",
        tags=("env:prod", "pulsebook_id:r-1/tell/2"),
        alert_type="warning",
        priority="low",
        host="h",
    )


async def test_mentions_call_nobody_unless_the_step_says_so() -> None:
    _, [event] = await post(text="@webhook-all and a@b.c")
    assert event.text == "@\u200bwebhook-all and a@\u200bb.c"
    _, [event] = await post(text="@webhook-all", mentions=True)
    assert event.text == "@webhook-all"


async def test_what_is_too_long_is_cut() -> None:
    _, [event] = await post(title="t" * 200, text="x" * 5_000, aggregation_key="k" * 200)
    assert (len(event.title), len(event.text), len(event.aggregation_key)) == (100, 4_000, 100)


async def test_nulls_count_as_not_given() -> None:
    _, [event] = await post(host=None, tags=None)
    assert (event.host, event.tags) == ("", ("pulsebook_id:r-1/tell/2",))


@pytest.mark.parametrize(
    "arguments", [{"title": 1}, {"title": " "}, {"alert_type": "panic"}, {"sound": "loud"}]
)
async def test_wrong_arguments_are_bad_input_and_nothing_is_posted(arguments: dict[str, Any]) -> None:
    outcome, events = await post(Posted("7"), (), **arguments)
    assert isinstance(outcome, Failed)
    assert (outcome.kind, events) == ("bad_input", [])


async def test_a_secret_bound_to_another_host_is_not_posted() -> None:
    outcome, events = await post(secret_hosts=(("api.example.com",),))
    assert isinstance(outcome, Failed)
    assert (outcome.kind, events) == ("refused", [])


@pytest.mark.parametrize(
    ("result", "failed"),
    [
        (PostRefused(400, "bad"), Failed("http_4xx", "bad")),
        (PostRefused(0, "not sent"), Failed("bad_input", "not sent")),
        (PostLater(None, "away", None, False), Failed("unreachable", "away")),
        (PostLater(None, "away", None, True), Failed("unreachable", "away", True)),
        (PostLater(3.0, "slow", 429), Failed("rate_limited", "slow", False, 3.0)),
        (PostLater(None, "slow", 408, True), Failed("timeout", "slow", True)),
        (PostLater(None, "key", 403), Failed("http_4xx", "key")),
        (PostLater(None, "down", 503, True), Failed("http_5xx", "down", True)),
    ],
)
async def test_what_datadog_says_becomes_a_failure_kind(result: PostResult, failed: Failed) -> None:
    outcome, _ = await post(result)
    assert outcome == failed


def test_the_declared_inputs_are_those_that_are_read() -> None:
    inputs = PostEvent.spec.inputs
    assert set(inputs["properties"]) == set(EventArguments.__struct_fields__)
    assert inputs["required"] == ["title", "text"]
