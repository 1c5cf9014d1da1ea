"""Calls of `http.request` for tests: one to a server that answers as the test says."""

from typing import Any

import httpx

from connectors.actions.http_request import HttpRequest
from schemas.actions import Call, Done, Failed
from tests.connectors.http_server import Got, Serve, http_server


def call(within_s: float = 5, secret_hosts: tuple[tuple[str, ...], ...] = (), **arguments: Any) -> Call:
    return Call(
        run_id="r-1",
        step="kill",
        attempt=1,
        arguments=arguments,
        idempotency_key="r-1/kill/1",
        timeout_s=within_s,
        repeatable=False,
        secret_hosts=secret_hosts,
    )


async def asked(
    client: httpx.AsyncClient, serve: Serve, path: str = "/", **given: Any
) -> tuple[Done | Failed, Got]:
    """What the action says of a server, and what that server got."""
    async with http_server(serve) as server:
        outcome = await HttpRequest(client)(call(url=server.url + path, **given))
        return outcome, server.got[0]


async def failure(client: httpx.AsyncClient, serve: Serve, **given: Any) -> Failed:
    outcome, _ = await asked(client, serve, **given)
    assert isinstance(outcome, Failed)
    return outcome
