"""Who accepts a webhook and when it answers 202: after the broker's acknowledgement, never before.

Plain ASGI, because this is the one path that must be fast. Datadog sends again on 5xx and when nothing comes,
but not on 4xx: so whatever is our own fault is 503 here, never 429 and never another 4xx.
"""

import asyncio
import time

import msgspec
from litestar.types import HTTPScope, Receive, Send

from console.access import NOT_READY
from console.access_log import NO_ANSWER, log_request
from console.hooks.addresses import Address, address, header
from console.hooks.alerts import accept
from console.hooks.answers import UNKNOWN, Answer, refusal, respond
from console.hooks.bodies import BodyTooLarge, ClientGone, read_body
from console.hooks.calls import Called, call, outcome
from console.parts import Parts
from console.writing import NotDurable


class Receipt(msgspec.Struct):
    """The body of the 202 to an alert."""

    alert_id: str
    parsed: bool


_encode_receipt = msgspec.json.Encoder().encode


class Hooks:
    """The ASGI application at /hooks."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._in_flight_bytes = 0
        parts.metrics.in_flight_bytes.set_function(lambda: self._in_flight_bytes)

    async def __call__(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        metrics = self._parts.metrics
        began = time.perf_counter()
        try:
            answer = await self._answer(scope, receive)
        except ClientGone:
            metrics.hooks.labels("gone").inc()
            log_request(scope, NO_ANSWER, time.perf_counter() - began)
            return
        took_s = time.perf_counter() - began
        metrics.hooks.labels(answer.result).inc()
        if answer.status == 202:
            metrics.hook_seconds.observe(took_s)
        else:
            log_request(scope, answer.status, took_s)
        await respond(send, answer)

    async def _answer(self, scope: HTTPScope, receive: Receive) -> Answer:
        """Everything up to the answer. Raises ClientGone."""
        if scope["method"] != "POST":
            return refusal("refused", 405, "a hook takes POST")
        catalog = self._parts.catalog
        if not catalog.ready:
            return refusal("not_ready", 503, NOT_READY)
        to = address(scope)
        # Asked of the catalog even where there is no address: that takes the same time.
        known = catalog.catalog.endpoint_for(
            to.endpoint if to else "", to.token if to else "", time.time_ns() // 1_000_000
        )
        if not to or not known:
            return refusal("unknown", 404, UNKNOWN)
        done = await self._received(scope, receive, to)
        return await outcome(self._parts, done) if isinstance(done, Called) else done

    async def _received(self, scope: HTTPScope, receive: Receive, to: Address) -> Answer | Called:
        """Read the body within all bounds, and make it durable."""
        settings = self._parts.settings
        deadline = asyncio.get_running_loop().time() + settings.durable_within_s
        declared = _declared_bytes(scope)
        held = settings.body_bytes_max if declared is None else min(declared, settings.body_bytes_max)
        if self._in_flight_bytes + held > settings.in_flight_bytes_max:
            return refusal("overloaded", 503, "too many calls are waiting for the broker")
        self._in_flight_bytes += held
        try:
            async with asyncio.timeout_at(deadline):
                body = await read_body(receive, declared, settings.body_bytes_max)
            within_s = deadline - asyncio.get_running_loop().time()
            if to.playbook:
                return await call(self._parts, scope, to, body, within_s)
            return await self._alert(scope, to, body, within_s)
        except BodyTooLarge:
            return refusal("too_large", 413, f"the body is larger than {settings.body_bytes_max} bytes")
        except TimeoutError:
            return refusal("slow", 503, f"the body did not arrive within {settings.durable_within_s:g} s")
        except NotDurable as error:
            return refusal("not_durable", 503, str(error))
        finally:
            self._in_flight_bytes -= held

    async def _alert(self, scope: HTTPScope, to: Address, body: bytes, within_s: float) -> Answer:
        got = await accept(self._parts, to.endpoint, body, header(scope, b"content-type"), within_s)
        result = "accepted" if got.parsed else "unparsable"
        return Answer(result, 202, _encode_receipt(Receipt(got.alert_id, got.parsed)))


def _declared_bytes(scope: HTTPScope) -> int | None:
    """Content-Length, where it is a number; the server has refused what is none."""
    text = header(scope, b"content-length")
    return int(text) if text.isdecimal() else None
