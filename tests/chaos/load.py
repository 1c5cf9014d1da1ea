"""Alerts, by webhook and by a Kafka producer. It remembers what it was promised."""

import asyncio
import contextlib
import json
import random
import time
from dataclasses import dataclass, field
from typing import Any

import httpx
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaTimeoutError

from cli.example import example_alert
from schemas.ids import alert_id_for_record, run_id
from tests.chaos.playbooks import ENDPOINT, playbooks
from tests.chaos.world import World
from tests.e2e.flow import until_accepted

SHARES = {
    "mixed": 8,
    "asks": 2,
    "insists": 3,
    "shrugs": 2,
    "queues": 2,
    "fails": 2,
    "questions": 2,
    "waits": 2,
    "families": 2,
}
BY_KAFKA = 0.4
GARBAGE = 0.03
GARBAGES = (b"\x8f\x00garbage", b"\xc3\x01cut off", b"{not json", b"[1, 2]", b"\x00\x00\x00\x00\x07framed")


@dataclass(slots=True)
class Load:
    """What comes in."""

    world: World
    seed: int
    accepted: dict[str, int] = field(default_factory=dict)
    """Alert id to when its 202 came."""
    produced: set[tuple[int, int]] = field(default_factory=set)
    names: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Run id to the playbook and the host of its alert."""
    hook: str = ""
    _sent: int = 0

    async def prepare(self, target: str) -> None:
        """Playbooks and the endpoint, through the API."""
        async with httpx.AsyncClient(base_url=self.world.url, trust_env=False, timeout=30) as client:
            for name, source in playbooks(target).items():
                answer = await client.post("/api/v1/playbooks", json={"source": source, "file": name})
                assert answer.json().get("outcome") == "applied", answer.text
            made = (await client.post("/api/v1/endpoints", json={"name": ENDPOINT})).raise_for_status()
            self.hook = self.world.url + httpx.URL(made.json()["url"]).path

    async def send(self, count: int, over_s: float, only: str = "") -> None:
        """`count` alerts spread over `over_s` seconds; returns when all were accepted. `only`: a playbook."""
        drawn = random.Random(self.seed + self._sent)  # noqa: S311  # a load, no secret
        plays = _plays(drawn, count)
        ways = [drawn.random() for _ in range(count)]
        producer = AIOKafkaProducer(**self.world.kafka, acks="all", enable_idempotence=True, linger_ms=5)
        await producer.start()
        try:
            async with httpx.AsyncClient(trust_env=False, timeout=20) as client:

                async def one(number: int) -> None:
                    await asyncio.sleep(over_s * number / count)
                    play, name = only or plays[number], f"{self.seed}-{self._sent + number}"
                    if ways[number] < GARBAGE:
                        await self._produce(producer, GARBAGES[number % len(GARBAGES)])
                        return
                    alert = _alert(play, name)
                    if ways[number] < BY_KAFKA:
                        partition, offset = await self._produce(producer, json.dumps(alert).encode())
                        alert_id = alert_id_for_record("alerts", partition, offset)
                    else:
                        alert_id = await until_accepted(client, self.hook, alert)
                    self.accepted[alert_id] = _now_ms()
                    self.names[run_id(play, alert_id)] = play, name

                await asyncio.gather(*(one(number) for number in range(count)))
        finally:
            self._sent += count
            await producer.stop()

    async def send_one(self, play: str, name: str, **metadata: str) -> str:
        """One alert by webhook; its id. `name`: of its host; `metadata` takes the place of the usual."""
        async with httpx.AsyncClient(trust_env=False, timeout=20) as client:
            alert = _alert(play, name)
            alert["metadata"] |= metadata
            alert_id = await until_accepted(client, self.hook, alert)
        self.accepted[alert_id] = _now_ms()
        return alert_id

    async def _produce(self, producer: AIOKafkaProducer, value: bytes) -> tuple[int, int]:
        """As often as it takes: where there is no room for a batch, nothing was sent."""
        topic, headers = f"{self.world.prefix}alerts", [("endpoint", ENDPOINT.encode())]
        while True:
            with contextlib.suppress(KafkaTimeoutError):
                sent = await (await producer.send(topic, value, headers=headers))
                self.produced.add((sent.partition, sent.offset))
                return sent.partition, sent.offset


def _plays(drawn: random.Random, count: int) -> list[str]:
    """By their shares, and where there is room each at least once."""
    each = list(SHARES) if count > len(SHARES) else []
    plays = each + drawn.choices(list(SHARES), list(SHARES.values()), k=count - len(each))
    drawn.shuffle(plays)
    return plays


def _alert(play: str, name: str) -> dict[str, Any]:
    alert = example_alert()
    alert["metadata"] |= {
        "ALERT_SCOPE": f"host:h{name}",
        "ALERT_CYCLE_KEY": f"cycle-{name}",
        "TAGS": f"play:{play}",
        "HOSTNAME": "",
    }
    return alert


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
