"""What nobody should send: wrong records, alerts about events of our own, expressions without measure."""

import asyncio
import time
from dataclasses import dataclass, field

import httpx
from aiokafka import AIOKafkaProducer

from schemas.admissions import Candidate
from schemas.codec import encode
from schemas.ids import run_id
from schemas.inbox import StepFinished, TimerFired
from tests.chaos.fault.faulty import POISONED
from tests.chaos.gathering import events
from tests.chaos.load import Load
from tests.chaos.playbooks import ENDPOINT
from tests.chaos.world import World

POISONED_ALERTS, ENDLESS_ALERTS = 3, 3
ECHO_EVERY_S = 0.3
ITEMS = "[0,1,2,3,4,5,6,7,8,9]"
ENDLESS = "true"
for _name in "abcdefgh":
    ENDLESS = f"{ITEMS}.all({_name},{ENDLESS})"
"""100 million rounds, written in 270 characters."""
TOO_LONG = " || ".join(["alert.title == 'x'"] * 10_000)
TOO_DEEP = "(" * 4_000 + "true" + ")" * 4_000


def records() -> list[tuple[str, bytes, bytes]]:
    """Topic, key, value: bytes that are no record, records that are not of this topic, or under another's
    key, or about what there is not.
    """
    finished = StepFinished(run_id="r-nobody", step="act", attempt=1, answers_seq=4, status="succeeded")
    unknown = Candidate(
        request_id="a-nobody",
        playbook="mixed",
        revision="0" * 64,
        catalog_offset=0,
        run_id=run_id("mixed", "a-nobody"),
    )
    garbage = [
        (topic, b"key", value)
        for topic in ("admissions", "run-inbox", "run-journal")
        for value in (b"\x8fgarbage", b"\xc3\x01cut", b"")
    ]
    return [
        *garbage,
        ("run-inbox", b"another-run", encode(finished)),
        ("run-inbox", b"r-nobody", encode(finished)),
        ("run-inbox", b"r-nobody", encode(TimerFired(row="r-nobody", timer="timeout", due_ms=1))),
        ("run-inbox", b"mixed", encode(unknown)),
        ("run-journal", b"r-nobody", encode(finished)),
        ("admissions", b"mixed", encode(finished)),
        ("admissions", b"another", encode(unknown)),
        ("admissions", b"mixed", encode(unknown)),
        ("admissions", b"mixed", encode(TimerFired(row="mixed@r-nobody", timer="slot", due_ms=1))),
    ]


def playbook(name: str, when: str) -> str:
    """A playbook that asks `when` of its alerts."""
    return f"""\
playbook: {name}
on:
  alert:
    endpoint: {ENDPOINT}
    tags: {{play: {name}}}
    when: "{when}"
steps:
  - {{id: note, action: log, with: {{message: hello}}}}
"""


@dataclass(slots=True)
class Poison:
    """All of it, poured into one world; what was sent and answered."""

    world: World
    load: Load
    poisoned: list[str] = field(default_factory=list)
    """Alert ids."""
    endless: list[str] = field(default_factory=list)
    echoes: list[str] = field(default_factory=list)
    answers: dict[str, tuple[int, str]] = field(default_factory=dict)
    """To each playbook without measure: status and text."""

    async def pour(self, for_s: float) -> None:
        """Everything at once."""
        await asyncio.gather(self._records(), self._expressions(), self._faults(), self._echo(for_s))

    async def _records(self) -> None:
        async with AIOKafkaProducer(**self.world.kafka) as producer:
            for topic, key, value in records():
                await producer.send_and_wait(f"{self.world.prefix}{topic}", value, key=key)

    async def _faults(self) -> None:
        for _ in range(POISONED_ALERTS):
            self.poisoned.append(await self.load.send_one("mixed", "poisoned", ALERT_SCOPE=POISONED))

    async def _expressions(self) -> None:
        async with httpx.AsyncClient(base_url=self.world.url, trust_env=False, timeout=20) as client:
            for name, when in (("toolong", TOO_LONG), ("toodeep", TOO_DEEP), ("endless", ENDLESS)):
                source = playbook(name, when)
                answer = await client.post("/api/v1/playbooks", json={"source": source, "file": name})
                self.answers[name] = answer.status_code, answer.text
        for number in range(ENDLESS_ALERTS):
            self.endless.append(await self.load.send_one("endless", f"endless-{number}"))

    async def _echo(self, for_s: float) -> None:
        """Datadog sends us what we posted there, as alerts that would fit."""
        heard: set[int] = set()
        until_s = time.monotonic() + for_s
        while time.monotonic() < until_s:
            for event in await events(self.world.sandbox):
                if event["id"] not in heard:
                    heard.add(event["id"])
                    tags = ",".join([*event["tags"], "play:mixed"])
                    name = f"echo-{event['id']}"
                    self.echoes.append(await self.load.send_one("mixed", name, TAGS=tags))
            await asyncio.sleep(ECHO_EVERY_S)
