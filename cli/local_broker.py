"""Keeps the local Kafka of `pulsebook up` running: starts it, starts it again when it dies, stops it last.

How a broker is started is `connectors.local_kafka`, whose calls block: here they have a thread of their own.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path

from connectors.local_kafka import LocalKafka
from connectors.local_kafka_errors import LocalKafkaError, StartCancelled

LOOK_EVERY_S = 0.5
AGAIN_DELAY_FIRST_S = 0.5
AGAIN_DELAY_MAX_S = 10.0


class LocalBroker:
    """The broker of one data folder. `say` gets one line for a person at a time, from any thread."""

    def __init__(self, data_dir: Path, cache_dir: Path, repository: str, say: Callable[[str], None]) -> None:
        self._kafka = LocalKafka(data_dir, cache_dir, say, repository)
        self._say = say
        self._servers = ""
        self._starting: asyncio.Task[str] | None = None
        self._keeper: asyncio.Task[None] | None = None

    async def start(self, moved: Callable[[str], None]) -> str:
        """Start it; "host:port". From then on it is kept running; `moved` is told of another address.

        Raises LocalKafkaError.
        """
        self._servers = await self._start()
        self._keeper = asyncio.create_task(self._keep(moved), name="keep broker")
        return self._servers

    async def _start(self) -> str:
        self._starting = asyncio.create_task(asyncio.to_thread(self._kafka.start), name="start broker")
        return await asyncio.shield(self._starting)

    async def _keep(self, moved: Callable[[str], None]) -> None:
        delay_s = AGAIN_DELAY_FIRST_S
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            if self._kafka.poll() is None:
                continue
            self._say("the broker ended; starting it again")
            try:
                servers = await self._start()
            except LocalKafkaError as error:
                self._say(f"the broker: {error}; trying again in {delay_s:g} s")
                await asyncio.sleep(delay_s)
                delay_s = min(delay_s * 2, AGAIN_DELAY_MAX_S)
                continue
            delay_s = AGAIN_DELAY_FIRST_S
            self._say("the broker is back")
            if servers != self._servers:
                self._servers = servers
                moved(servers)

    async def stop(self) -> None:
        """Stop it in order, by force after a few seconds; a start that is under way is called off."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.wait({self._keeper})
        if self._starting is not None and not self._starting.done():
            self._kafka.cancel()
            await asyncio.wait({self._starting})
        if self._starting is not None and isinstance(self._starting.exception(), StartCancelled):
            return
        await asyncio.to_thread(self._kafka.stop)
