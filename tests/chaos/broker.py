"""The broker of the bench: a real one of its own, which may be killed and then starts again in its old
place.
"""

import asyncio
import os
import signal
from pathlib import Path

from connectors.local_kafka import LocalKafka


class Broker:
    """One LocalKafka. Its address stays the same over its lives."""

    def __init__(self, folder: Path, cache_dir: Path | None) -> None:
        self._kafka = LocalKafka(folder, cache_dir)
        self.servers = ""

    def start(self) -> str:
        """Start it; its address."""
        self.servers = self._kafka.start()
        return self.servers

    def stop(self) -> None:
        self._kafka.stop()

    @property
    def pid(self) -> int:
        return self._kafka.pid

    async def kill(self, down_s: float = 0.0) -> None:
        """kill -9; start it again after `down_s` seconds."""
        os.kill(self._kafka.pid, signal.SIGKILL)
        while self._kafka.poll() is None:
            await asyncio.sleep(0.02)
        await asyncio.sleep(down_s)
        again = await asyncio.to_thread(self._kafka.start)
        assert again == self.servers, f"it moved from {self.servers} to {again}"
