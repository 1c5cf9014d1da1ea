"""One attempt: what is recorded of what an action did."""

import asyncio
import math
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executor.run_step import MESSAGE_CHARS_MAX, Attempt, StepRunner, outcome_unknown
from schemas.actions import ActionSpec, Call, Done, Failed, PinnedAction, SecretSlot
from schemas.codec import decode, encode
from schemas.inbox import StepFinished
from schemas.secrets import Secret
from tests.executor.records import requested

TOKEN = Secret("TOKEN", "hunter22", ("api.example.com",))


class Scripted:
    """An action that does what the test says."""

    def __init__(
        self, do: Callable[[Call], Awaitable[Done | Failed]], sensitive: tuple[str, ...] = ()
    ) -> None:
        self._do = do
        self.spec = ActionSpec(
            name="log",
            description="Scripted.",
            category="enrich",
            inputs={},
            outputs={},
            pinned=PinnedAction(name="log", repeatable=True),
            sensitive_outputs=sensitive,
        )

    def __call__(self, call: Call) -> Awaitable[Done | Failed]:
        return self._do(call)


async def attempt_of(
    outcome: Any, sensitive: tuple[str, ...] = (), timeout_s: float = 5, **request: Any
) -> Attempt:
    async def do(call: Call) -> Done | Failed:
        if isinstance(outcome, BaseException):
            raise outcome
        result: Done | Failed = await outcome(call) if callable(outcome) else outcome
        return result

    runner = StepRunner({"log": Scripted(do, sensitive)}, {"TOKEN": TOKEN}.get)
    return await runner.run("r-1", requested(**request), timeout_s)


async def test_an_output_is_kept_whole_without_select() -> None:
    assert await attempt_of(Done({"a": 1})) == Attempt("succeeded", {"a": 1})


async def test_select_keeps_what_it_names() -> None:
    attempt = await attempt_of(Done({"items": [1, 2, 3]}), select={"count": "size(output.items)"})
    assert attempt == Attempt("succeeded", {"count": 3})


async def test_a_select_that_fails_is_bad_input_and_names_its_key() -> None:
    attempt = await attempt_of(Done({"a": 1}), select={"last": "output.last"})
    assert (attempt.status, attempt.kind) == ("failed", "bad_input")
    assert attempt.message.startswith("select.last")
    page = (Path(__file__).parents[2] / "docs" / "playbooks.md").read_text()
    assert f"in a step, `select` included, it fails with `{attempt.kind}`" in page


async def test_an_output_above_the_limit_fails_with_both_sizes() -> None:
    attempt = await attempt_of(Done("x" * 100), output_bytes_max=50)
    assert (attempt.status, attempt.kind) == ("failed", "too_large")
    assert "102 bytes" in attempt.message and "50" in attempt.message


async def test_an_output_of_10_mib_is_fine_if_select_keeps_little_of_it() -> None:
    output = {"lines": ["x" * 1000] * 10_000, "count": 7}
    assert await attempt_of(Done(output), select={"n": "output.count"}) == Attempt("succeeded", {"n": 7})


@pytest.mark.parametrize("output", [math.nan, {1: 2}, {"a": {1, 2}}, b"bytes", object(), "\ud800", math.inf])
async def test_an_output_that_is_no_json_is_bad_output(output: Any) -> None:
    attempt = await attempt_of(Done(output))
    assert (attempt.status, attempt.kind) == ("failed", "bad_output")


async def test_sensitive_outputs_are_never_recorded_and_select_does_not_see_them() -> None:
    output = {"id": 1, "token": "t0ken"}
    assert await attempt_of(Done(output), ("token",)) == Attempt("succeeded", {"id": 1})
    attempt = await attempt_of(Done(output), ("token",), select={"t": "output.token"})
    assert attempt.kind == "bad_input"


async def test_secrets_are_filled_in_for_the_action_and_masked_in_what_it_says() -> None:
    async def echo(call: Call) -> Done:
        assert call.arguments == {"auth": "hunter22"}
        assert call.secret_hosts == (("api.example.com",),)
        return Done({"echo": f"Bearer {call.arguments['auth']}"})

    slots = (SecretSlot(path=("auth",), name="TOKEN"),)
    attempt = await attempt_of(echo, arguments={"auth": None}, secrets=slots)
    assert attempt == Attempt("succeeded", {"echo": "Bearer ***"})


@pytest.mark.parametrize(
    "outcome", [Failed("http_4xx", "401 for hunter22"), ValueError("hunter22 is no number")]
)
async def test_secrets_are_masked_in_failures(outcome: Any) -> None:
    slots = (SecretSlot(path=("auth",), name="TOKEN"),)
    attempt = await attempt_of(outcome, arguments={"auth": None}, secrets=slots)
    assert "***" in attempt.message and "hunter22" not in attempt.message


async def test_select_cannot_take_a_secret_apart() -> None:
    async def echo(call: Call) -> Done:
        return Done(call.arguments["auth"])

    attempt = await attempt_of(
        echo,
        arguments={"auth": None},
        secrets=(SecretSlot(path=("auth",), name="TOKEN"),),
        select={"starts": "output.startsWith('hunter')"},
    )
    assert attempt == Attempt("succeeded", {"starts": False})


async def test_a_missing_secret_is_bad_input() -> None:
    attempt = await attempt_of(Done(1), secrets=(SecretSlot(path=("message",), name="NONE"),))
    assert (attempt.status, attempt.kind) == ("failed", "bad_input")


async def test_an_unknown_action_is_refused() -> None:
    attempt = await attempt_of(Done(1), action="mail.send")
    assert (attempt.status, attempt.kind) == ("failed", "refused")
    assert "mail.send" in attempt.message


async def test_an_action_that_raises_is_an_internal_failure() -> None:
    attempt = await attempt_of(KeyError("name"))
    assert (attempt.status, attempt.kind) == ("failed", "internal")
    assert "KeyError" in attempt.message


async def test_an_action_that_does_not_end_is_stopped_at_its_timeout() -> None:
    async def hang(call: Call) -> Done:
        await asyncio.sleep(60)
        return Done(None)

    attempt = await attempt_of(hang, timeout_s=0.05)
    assert (attempt.status, attempt.kind) == ("failed", "timeout")
    assert "0.05 s" in attempt.message


async def test_a_timeout_error_of_the_action_itself_is_not_taken_for_ours() -> None:
    attempt = await attempt_of(TimeoutError("socket"))
    assert attempt.kind == "internal"


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        (Failed("http_5xx", "502", may_have_happened=True), "unknown"),
        (Failed("http_4xx", "400", may_have_happened=False), "failed"),
        (KeyError("x"), "unknown"),
        (Done(b""), "unknown"),
    ],
)
async def test_an_unrepeatable_step_that_may_have_happened_is_unknown(outcome: Any, status: str) -> None:
    assert (await attempt_of(outcome, repeatable=False)).status == status


@pytest.mark.parametrize(
    "request_fields",
    [{"output_bytes_max": 2}, {"select": {"x": "output.nothing"}}],
    ids=["too large", "no such field"],
)
async def test_an_unrepeatable_step_that_happened_failed_where_no_policy_tries_again(
    request_fields: dict[str, Any],
) -> None:
    attempt = await attempt_of(Done({"a": 1}), repeatable=False, **request_fields)
    assert attempt.status == "failed"


async def test_a_repeatable_step_that_may_have_happened_failed() -> None:
    attempt = await attempt_of(Failed("http_5xx", "502", may_have_happened=True))
    assert (attempt.status, attempt.kind) == ("failed", "http_5xx")


async def test_an_invented_failure_kind_is_internal() -> None:
    assert (await attempt_of(Failed("catastrophe", "boom"))).kind == "internal"


async def test_how_long_to_wait_is_kept_within_reason() -> None:
    assert (await attempt_of(Failed("rate_limited", "", retry_after_s=1.5))).retry_after_ms == 1500
    assert (await attempt_of(Failed("rate_limited", "", retry_after_s=-3))).retry_after_ms == 0
    assert (
        await attempt_of(Failed("rate_limited", "", retry_after_s=1e300))
    ).retry_after_ms == 31 * 86_400_000


async def test_a_stop_reaches_the_action() -> None:
    stopped = asyncio.Event()

    async def hang(call: Call) -> Done:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            stopped.set()
            raise
        return Done(None)

    task = asyncio.create_task(attempt_of(hang))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert stopped.is_set()


def test_a_stopped_unrepeatable_step_is_unknown() -> None:
    attempt = outcome_unknown(requested(repeatable=False), "stopped")
    assert (attempt.status, attempt.kind) == ("unknown", "unknown")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just("\udfff"),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(), children, max_size=3),
    max_leaves=8,
)


@given(JSON, st.text(max_size=3_000), st.floats() | st.none())
async def test_whatever_an_action_answers_can_be_recorded(
    output: Any, message: str, wait_s: float | None
) -> None:
    for outcome in (Done(output), Failed("http_4xx", message, retry_after_s=wait_s), ValueError(message)):
        attempt = await attempt_of(outcome)
        record = StepFinished(
            run_id="r-1",
            step="restart",
            attempt=1,
            answers_seq=1,
            status=attempt.status,
            output=attempt.output,
            kind=attempt.kind,
            message=attempt.message,
            retry_after_ms=attempt.retry_after_ms,
        )
        assert decode(encode(record)) == record
        assert len(attempt.message) <= MESSAGE_CHARS_MAX


async def test_an_action_can_mask_what_it_is_about_to_cut() -> None:
    async def cuts(call: Call) -> Done | Failed:
        return Failed("http_4xx", call.mask("unknown key hunter22")[:16])

    slot = SecretSlot(path=("key",), name="TOKEN")
    attempt = await attempt_of(cuts, arguments={"key": None}, secrets=(slot,))
    assert attempt.message == "unknown key ***"
