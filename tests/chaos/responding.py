"""Who responds to what runs wait for: a person who answers their questions, and a monitor that recovers.

Both by the API and by webhook, on and on, whatever is killed meanwhile. They remember what was accepted.
"""

import asyncio
import contextlib
import zlib
from dataclasses import dataclass, field

import httpx

from tests.chaos.following import Following
from tests.chaos.load import Load
from tests.chaos.world import World

LOOK_EVERY_S = 0.3
RECOVERED = "Recovered"


@dataclass(slots=True)
class Responding:
    """Looks at what `following` sees. The same run gets the same response in every world."""

    world: World
    load: Load
    following: Following
    answered: dict[tuple[str, str], str] = field(default_factory=dict)
    """By run and step: the choice that was accepted (202) last."""
    recovered: set[str] = field(default_factory=set)
    """Runs whose alert has recovered, by a webhook that was accepted."""

    async def go_on(self) -> None:
        """Until cancelled."""
        async with httpx.AsyncClient(base_url=self.world.url, trust_env=False, timeout=20) as client:
            while True:
                for (run_id, step), choices in list(self.following.asked.items()):
                    await self._answer(client, run_id, step, choices)
                for run_id, until in list(self.following.waiting.items()):
                    if run_id not in self.recovered and (until == "recovered" or _drawn(run_id) % 2):
                        await self._recover(run_id)
                await asyncio.sleep(LOOK_EVERY_S)

    async def _answer(
        self, client: httpx.AsyncClient, run_id: str, step: str, choices: tuple[str, ...]
    ) -> None:
        choice = choices[_drawn(run_id) % len(choices)]
        with contextlib.suppress(httpx.TransportError):
            answer = await client.post(f"/api/v1/runs/{run_id}/answer", json={"step": step, "choice": choice})
            if answer.status_code == 202:
                self.following.asked.pop((run_id, step), None)
                self.answered[run_id, step] = choice

    async def _recover(self, run_id: str) -> None:
        """Half of the runs hear of it while they still wait for something else."""
        if (sent := self.load.names.get(run_id)) is not None:
            play, name = sent
            await self.load.send_one(play, name, ALERT_TRANSITION=RECOVERED)
            self.recovered.add(run_id)


def _drawn(run_id: str) -> int:
    return zlib.crc32(run_id.encode())
