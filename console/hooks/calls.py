"""A hook that starts one playbook: what its body means, its answer at once or (`?wait=25s`) with the
outcome.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

import msgspec
from litestar.types import HTTPScope

from console.following import RUNNING, wait_for_end
from console.hooks.addresses import Address, header
from console.hooks.alerts import received_alert
from console.hooks.answers import Answer, refusal
from console.parts import Parts
from console.run_view import outputs_of
from console.starting import CannotStart, Start, request_id, start
from console.times import BadTime, duration_ms
from schemas.alerts import Alert
from schemas.errors import SchemasError
from schemas.json import parsed

ENVELOPE = frozenset({"inputs", "alert"})
WAIT_MS_MAX = 60_000
KEY_MAX = 200
"""Characters of an Idempotency-Key."""


class BadCall(Exception):
    """The call cannot be understood; the text says what would be."""


@dataclass(frozen=True, slots=True)
class Called:
    """A start that is durable. `wait_ms`: how long the caller wants to wait for the outcome."""

    run_id: str
    wait_ms: int


async def call(parts: Parts, scope: HTTPScope, to: Address, body: bytes, within_s: float) -> Called | Answer:
    """Start the playbook, or say why not. Raises NotDurable."""
    try:
        wait_ms = _wait_ms(scope["query_string"])
        asked = asked_for(to, body, header(scope, b"content-type"), header(scope, b"idempotency-key"))
        return Called(await start(parts, asked, within_s), wait_ms)
    except (BadCall, BadTime) as error:
        return refusal("refused", 400, str(error))
    except CannotStart as error:
        return refusal("refused", error.status, str(error))
    except SchemasError as error:
        return refusal("refused", 400, f"the inputs cannot be recorded: {error}")


async def outcome(parts: Parts, called: Called) -> Answer:
    """202 at once; with a wait, 200 with the outcome, or 202 with what is known where the time was too
    short.
    """
    model = parts.read_model
    if not called.wait_ms or model is None:
        return _answer(202, {"run_id": called.run_id})
    row = await wait_for_end(parts, model, called.run_id, called.wait_ms / 1000)
    if row is None or row["status"] in RUNNING:
        return _answer(202, {"run_id": called.run_id, "status": row["status"] if row else "requested"})
    ended = {"run_id": called.run_id, "status": row["status"], "message": row["message"]}
    return _answer(200, {**ended, "outputs": await outputs_of(model, called.run_id)})


def asked_for(to: Address, body: bytes, content_type: str, key: str) -> Start:
    """What the body asks for. Raises BadCall.

    `{"inputs": {…}, "alert": {…}}` with nothing else in it is taken apart; an object with an object
    `metadata` is Datadog's payload, and so the alert; any other object is the inputs themselves.
    """
    inputs, alert_body = _meaning(body)
    alert: Alert | None = None
    if alert_body:
        received = received_alert(to.endpoint, alert_body, content_type)
        if received.alert is None:
            raise BadCall(f"the alert cannot be read: {received.problem}")
        alert = received.alert
    if len(key) > KEY_MAX:
        raise BadCall(f"Idempotency-Key is longer than {KEY_MAX} characters")
    return Start(
        playbook=to.playbook,
        # A redelivery of Datadog's repeats its bytes, and so its alert id: it must not start a second run.
        request_id=alert.id
        if alert and alert.event_id and not key
        else request_id(f"hook/{to.endpoint}", key),
        via="hook",
        actor=f"endpoint/{to.endpoint}",
        endpoint=to.endpoint,
        inputs=inputs,
        alert=alert,
    )


def _meaning(body: bytes) -> tuple[Mapping[str, Any], bytes]:
    """Inputs, and the bytes of the alert (empty: none)."""
    if not body.strip():
        return {}, b""
    try:
        value = parsed(body)
    except SchemasError as error:
        raise BadCall(f"the body must be a JSON object: {error}") from error
    if not isinstance(value, dict):
        raise BadCall("the body must be a JSON object")
    if value and ENVELOPE.issuperset(value):
        inputs, alert = value.get("inputs") or {}, value.get("alert")
        if not isinstance(inputs, dict) or not (alert is None or isinstance(alert, dict)):
            raise BadCall("`inputs` and `alert` must be JSON objects")
        return inputs, msgspec.json.encode(alert) if alert else b""
    return ({}, body) if isinstance(value.get("metadata"), dict) else (value, b"")


def _wait_ms(query: bytes) -> int:
    given = parse_qs(query.decode("latin-1")).get("wait")
    return min(duration_ms(given[-1]), WAIT_MS_MAX) if given else 0


def _answer(status: int, value: dict[str, Any]) -> Answer:
    return Answer("started", status, msgspec.json.encode(value))
