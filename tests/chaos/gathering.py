"""From a real world to a history: reads every topic and changelog, and what the target and the sandbox
have.
"""

import time
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import httpx

from connectors.event_log import Entry, EventLogReader
from schemas.topics import CHANGELOGS, TOPICS
from tests.chaos.history import Disturbance, History
from tests.chaos.load import Load
from tests.chaos.playbooks import SITUATION
from tests.chaos.responding import Responding
from tests.chaos.target import Target
from tests.chaos.world import World

PAGE = 1_000


async def gather(
    world: World, load: Load, target: Target, responding: Responding, disturbances: Sequence[Disturbance]
) -> History:
    """All of it, as of now."""
    topics: dict[str, list[Entry]] = defaultdict(list)
    reader = EventLogReader(world.kafka, (*TOPICS, *CHANGELOGS), world.prefix)
    async for batch in reader.read():
        for entry in batch:
            topics[entry.topic].append(entry)
    return History(
        topics=topics,
        situation=SITUATION,
        accepted=frozenset(load.accepted),
        produced=frozenset(load.produced),
        calls=tuple(target.calls),
        posts=tuple(tuple(event["tags"]) for event in await events(world.sandbox)),
        now_ms=time.time_ns() // 1_000_000,
        answered=dict(responding.answered),
        recovered=frozenset(responding.recovered),
        disturbances=tuple(disturbances),
    )


async def events(sandbox: str) -> list[dict[str, Any]]:
    """All that Datadog would have got."""
    found: list[dict[str, Any]] = []
    async with httpx.AsyncClient(base_url=sandbox, trust_env=False, timeout=30) as client:
        while True:
            answer = await client.get("/api/v1/events", params={"page": len(found) // PAGE})
            page = answer.raise_for_status().json()["events"]
            found += page
            if len(page) < PAGE:
                return found
