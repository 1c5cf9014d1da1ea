"""The endpoint `demo` of `pulsebook up`: made at the first start; its address is kept in the data folder.

The catalog has hashes only, so what is not kept here cannot be shown again.
"""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from cli.data_folder import keep, kept

NAME = "demo"
FILE = "demo-endpoint.json"
WHY = "the demo endpoint of pulsebook up"
TRIES = 20
AGAIN_AFTER_S = 0.5


async def demo_endpoint(data_dir: Path, url: str, headers: Mapping[str, str], own_log: bool) -> str:
    """The path of its webhook, token included; empty where it was made or rotated elsewhere.

    `own_log`: nobody but this data folder uses the Kafka. Raises httpx.HTTPError where the web stays away.
    """
    async with httpx.AsyncClient(base_url=url, headers=headers, trust_env=False, timeout=30) as client:
        for _ in range(TRIES):
            try:
                return await _path(client, data_dir / FILE, own_log)
            except httpx.HTTPError:
                await asyncio.sleep(AGAIN_AFTER_S)
        return await _path(client, data_dir / FILE, own_log)


async def _path(client: httpx.AsyncClient, file: Path, own_log: bool) -> str:
    held = await _held(client)
    noted = json.loads(kept(file) or "{}")
    if held is not None and noted.get("at_ms") == held["at_ms"]:
        return str(noted["path"])
    # One of our own log without a note is the trace of a start that was cut off: nobody has its address.
    if held is not None and (noted or not own_log):
        return ""
    where = "/api/v1/endpoints" if held is None else f"/api/v1/endpoints/{NAME}/rotate"
    body = {"reason": WHY} if held else {"name": NAME, "reason": WHY}
    made = (await client.post(where, json=body)).raise_for_status().json()
    path = httpx.URL(made["url"]).path
    held = await _held(client)
    keep(file, json.dumps({"path": path, "at_ms": held["at_ms"] if held else 0}))
    return path


async def _held(client: httpx.AsyncClient) -> dict[str, Any] | None:
    listed = (await client.get("/api/v1/endpoints")).raise_for_status().json()
    return next((item for item in listed["items"] if item["name"] == NAME), None)
