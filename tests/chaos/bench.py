"""World, target and load together: a trial sends alerts, does what its schedule says, waits until all is
quiet, and has the checker judge everything there has ever been in this world.
"""

import asyncio
import contextlib
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from audit.verify.emitting import CONFLUENT, EXCUSES
from tests.audit.memory import verified
from tests.chaos.checking import check
from tests.chaos.following import Following, longest_gap_s
from tests.chaos.gathering import gather
from tests.chaos.history import Disturbance, History
from tests.chaos.load import Load
from tests.chaos.responding import Responding
from tests.chaos.schedule import Moment
from tests.chaos.target import Target
from tests.chaos.world import World

QUIET_S = 0.5
"""Rows follow their journal at once; then nothing moves any more."""
LOOKS, LOOK_AGAIN_S = 3, 1.5
"""How often the checker looks: what is only late is no violation, and what is wrong stays wrong."""
QUITS_WITHIN_S = 60.0
GAP_WITHIN_MS = 4_000
AFTERMATH_MS = 4_000
"""Beside the session timeout: a start, a rebalance and a recovery."""
SHORT_LIFE_S = 1.0
Meanwhile = Callable[[], Awaitable[None]]


@dataclass(slots=True)
class Outcome:
    """What a trial showed. `gaps_s`: for each deed, how long the killed kind of process did nothing."""

    violations: list[str]
    gaps_s: list[tuple[float, str]]
    unknown: list[str]
    """Steps of this trial whose outcome nobody knows."""
    unplanned: list[str]
    settled_s: float

    @property
    def worst_gap_s(self) -> float:
        return max((gap for gap, _ in self.gaps_s), default=0.0)


@dataclass(slots=True)
class Bench:
    """A world with its target, its load, and who looks on."""

    world: World
    target: Target
    load: Load
    following: Following
    responding: Responding
    known: set[str] = field(default_factory=set)
    """Violations that were told already."""
    done: list[tuple[int, Moment]] = field(default_factory=list)
    disturbances: list[Disturbance] = field(default_factory=list)
    """What was done so far, beside the ends of processes, which the world remembers."""
    _locks: dict[str, asyncio.Lock] = field(default_factory=dict)

    async def trial(
        self,
        alerts: int,
        over_s: float,
        moments: Sequence[Moment] = (),
        meanwhile: Meanwhile | None = None,
        within_s: float = 90.0,
        only: str = "",
    ) -> Outcome:
        """Send, disturb, settle, check."""
        for moment in moments:
            _say(str(moment))
        unknown, ends, done = len(self.following.unknown), len(self.world.ends), len(self.done)
        work = [self.load.send(alerts, over_s, only), self._all(moments)]
        await asyncio.gather(*work, *([meanwhile()] if meanwhile is not None else []))
        await self.world.ready()
        settled_s, missing = await self.settle(within_s)
        violations = await self.violations()
        if missing:
            violations.append(f"stuck for {within_s:.0f} s: {'; '.join(missing[:10])}; {len(missing)} in all")
            _say(f"VIOLATION {violations[-1]}")
        outcome = Outcome(
            violations=violations,
            gaps_s=[self._gap(at_ms, moment) for at_ms, moment in self.done[done:]],
            unknown=self.following.unknown[unknown:],
            unplanned=[
                f"{one.name} ended by itself with {one.code}"
                for one in self.world.ends[ends:]
                if not one.expected
            ],
            settled_s=settled_s,
        )
        _say(
            f"{len(self.load.accepted)} alerts, {len(self.following.ended)} runs ended, "
            f"{len(self.target.calls)} calls, {len(outcome.unknown)} steps unknown, "
            f"{len(self.responding.answered)} answers, {len(self.responding.recovered)} recoveries, "
            f"settled after {settled_s:.1f} s, worst gap {outcome.worst_gap_s:.1f} s, "
            f"{len(violations)} violations; {outcome.unplanned}"
        )
        return outcome

    async def violations(self) -> list[str]:
        """What is wrong now and was not before."""
        new: list[str] = []
        for look in range(LOOKS):
            await asyncio.sleep(LOOK_AGAIN_S if look else QUIET_S)
            history = await self.history()
            found = [str(one) for one in await asyncio.to_thread(check, history)]
            found += await audited(history)
            new = [one for one in found if one not in self.known]
            if not new:
                break
        self.known.update(new)
        for one in new:
            _say(f"VIOLATION {one}")
        return new

    async def history(self) -> History:
        """All there has ever been in this world."""
        after_ms = self._aftermath_ms
        ends = [
            Disturbance(one.name.partition("-")[0], one.at_ms, one.at_ms + after_ms)
            for one in self.world.ends
        ]
        disturbances = [*self.disturbances, *ends]
        return await gather(self.world, self.load, self.target, self.responding, disturbances)

    @contextlib.asynccontextmanager
    async def disturbing(self, *kinds: str) -> AsyncIterator[None]:
        """Whatever is done in here is done to these kinds of processes, or to `broker` or `target`."""
        began_ms = _now_ms()
        try:
            yield
        finally:
            ended_ms = _now_ms() + self._aftermath_ms
            self.disturbances += [Disturbance(kind, began_ms, ended_ms) for kind in kinds]

    @property
    def _aftermath_ms(self) -> int:
        """How much later partitions may still move because of it."""
        return int(self.world.session_timeout_s * 1_000) + AFTERMATH_MS

    async def settle(self, within_s: float = 90.0) -> tuple[float, list[str]]:
        """Wait until nothing is missing; how long that took, and what still is."""
        began_s = time.monotonic()
        while missing := self.following.missing(self.load.accepted):
            if time.monotonic() - began_s > within_s:
                break
            await asyncio.sleep(0.1)
        return time.monotonic() - began_s, missing

    async def _all(self, moments: Sequence[Moment]) -> None:
        began_s = time.monotonic()

        async def one(moment: Moment) -> None:
            await asyncio.sleep(max(0.0, moment.at_s + began_s - time.monotonic()))
            await self.do(moment)

        await asyncio.gather(*(one(moment) for moment in moments))

    async def do(self, moment: Moment) -> None:
        """Do it to all of them at once; after what is being done to any of them."""
        async with contextlib.AsyncExitStack() as held:
            for name in sorted(moment.names):
                await held.enter_async_context(self._locks.setdefault(name, asyncio.Lock()))
            self.done.append((_now_ms(), moment))
            async with self.disturbing(*{name.partition("-")[0] for name in moment.names}):
                await self._do(moment)

    async def _do(self, moment: Moment) -> None:
        world, names, away_s = self.world, moment.names, self.world.session_timeout_s + 2.0
        match moment.deed:
            case "kill":
                world.kill(*names)
            case "term":
                await world.term(*names)
            case "wipe" | "move":
                world.keep_down(*names)
                world.kill(*names)
                await world.gone(*names)
                if moment.deed == "wipe":
                    for name in names:
                        world.wipe(name)
                else:
                    await asyncio.sleep(away_s)
                world.allow(*names)
            case "handover":
                await self._hand_over(names, away_s)
            case "leave":
                await world.stop(*names)
                await asyncio.sleep(away_s)
                world.allow(*names)
            case "join":
                await world.join(*names)
            case "quit":
                await world.stop(*names, within_s=QUITS_WITHIN_S)
            case "freeze":
                for name in names:
                    world.workers[name].signal(signal.SIGSTOP)
                await asyncio.sleep(away_s)
                for name in names:
                    world.workers[name].doomed = True  # a zombie ends itself
                    world.workers[name].signal(signal.SIGCONT)

    async def _hand_over(self, names: Sequence[str], away_s: float) -> None:
        """Killed, on again on the same disk, and killed again as soon as they are ready: others take over
        what they did in this short life.
        """
        world, lives = self.world, [self.world.lives_of(name) for name in names]
        world.kill(*names)
        while any(world.lives_of(name) == before for name, before in zip(names, lives, strict=True)):
            await asyncio.sleep(0.02)
        await world.ready(names)
        await asyncio.sleep(SHORT_LIFE_S)
        world.keep_down(*names)
        world.kill(*names)
        await world.gone(*names)
        await asyncio.sleep(away_s)
        world.allow(*names)

    def _gap(self, at_ms: int, moment: Moment) -> tuple[float, str]:
        kinds = {name.partition("-")[0] for name in moment.names}
        times = {**self.following.progress, "web": list(self.load.accepted.values())}
        gap_s = max(longest_gap_s(times.get(kind, []), at_ms, GAP_WITHIN_MS) for kind in kinds)
        return gap_s, str(moment)


async def audited(history: History) -> list[str]:
    """What the product's own `audit verify` says of it."""
    with tempfile.TemporaryDirectory() as folder:
        partitions = 1 + max(one.partition for topic in history.topics.values() for one in topic)
        tally = await verified(history.topics, Path(folder), history.now_ms, partitions=partitions)
    unsure = [
        f"audit: not checked: {count} {reason}"
        for reason, count in tally.unchecked.items()
        if reason != EXCUSES[CONFLUENT]
    ]
    return [f"audit: {one}" for one in tally.differences] + unsure


@contextlib.asynccontextmanager
async def bench(world: World, seed: int, answer_after_s: float = 0.1) -> AsyncIterator[Bench]:
    """A bench around a world that has not been started yet."""
    world.folder.mkdir(parents=True, exist_ok=True)
    with Target(answer_after_s, world.folder / "calls.jsonl") as target:
        async with world:
            following = Following()
            load = Load(world, seed)
            responding = Responding(world, load, following)
            await load.prepare(target.url)
            looking = [
                asyncio.create_task(following.follow(world.kafka, world.prefix)),
                asyncio.create_task(responding.go_on()),
            ]
            try:
                yield Bench(world, target, load, following, responding)
            finally:
                for task in looking:
                    task.cancel()
                await asyncio.wait(looking)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
