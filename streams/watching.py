"""Looks once a second at how a worker is doing: lags and ages for Prometheus, and whether anything got
lost inside.

It only measures; the one thing it does is to end a process in which messages were handed over and are
nowhere: they are not settled, not with an agent, not in a ledger. A new start reads them again.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from faust.types import TP

from streams.ending import EXIT_BROKEN
from streams.hardened.progress import Progress
from streams.metrics import Metrics
from streams.stage import Stage
from streams.ticking import now_ms

if TYPE_CHECKING:
    from streams.hardened.app import HardenedApp

EVERY_S = 1.0
LOST_AFTER_S = 60.0


class Watching:
    """The measurements of one worker. `lags`: full topic name to the gauge of its age."""

    def __init__(
        self,
        app: "HardenedApp",
        metrics: Metrics,
        stages: Sequence[Stage[Any]],
        lags: Mapping[str, Callable[[float], None]],
    ) -> None:
        self._app = app
        self._metrics = metrics
        self._stages = stages
        self._lags = lags
        self._behind: dict[TP, tuple[int, float]] = {}
        self._committed_s = time.monotonic()
        self.publish: Callable[[], None] = lambda: None
        """Called with each look, for numbers that others keep."""
        app.in_background(self._watch)

    async def _watch(self) -> None:
        lease = self._app.lease
        while True:
            before_s = lease.now_s()
            await asyncio.sleep(EVERY_S)
            if lease.now_s() - before_s > lease.session_timeout_s:
                lease.check()  # this process was stopped: do not wait until it wants to write
            if self._app.strict_consumer.started:
                self._look()

    def _look(self) -> None:
        consumer = self._app.strict_consumer
        ages: dict[str, float] = dict.fromkeys(self._lags, 0.0)
        waiting = False
        for tp, progress in consumer.progress().items():
            age_s = self._age_s(tp, progress)
            ages[tp.topic] = max(ages.get(tp.topic, 0.0), age_s)
            waiting = waiting or progress.committable() > (consumer._committed_offset[tp] or 0)
        for topic, tell in self._lags.items():
            tell(ages[topic])
        self._committed_s = max(self._committed_s, consumer.committed_s or 0.0)
        if not waiting:
            self._committed_s = time.monotonic()
        self._metrics.since_commit.set(time.monotonic() - self._committed_s)
        self.publish()
        for stage in self._stages:
            self._look_for_lost(stage)

    def _age_s(self, tp: TP, progress: Progress) -> float:
        """Age of the oldest message that is not settled; of one that was not fetched yet, since we know
        of it.
        """
        oldest_ms = progress.oldest_open_ms()
        if oldest_ms is not None:
            return max(0.0, (now_ms() - oldest_ms) / 1000)
        end = self._app.strict_consumer.highwater(tp) or 0
        if end <= progress.position:
            self._behind.pop(tp, None)
            return 0.0
        position, since_s = self._behind.setdefault(tp, (progress.position, time.monotonic()))
        if position != progress.position:
            self._behind[tp] = (progress.position, since_s := time.monotonic())
        return time.monotonic() - since_s

    def _look_for_lost(self, stage: Stage[Any]) -> None:
        """Messages that are handed over and not settled must be somewhere."""
        mine = {
            tp: one for tp, one in self._app.strict_consumer.progress().items() if tp.topic == stage.topic
        }
        handed_over = sum(progress.open_count() for progress in mine.values())
        queued = any(channel.queue.qsize() for tp in mine for channel in self._app.topics.channels_of(tp))
        somewhere = queued or stage.busy or stage.held() or stage.ledger.pending()
        if not handed_over or somewhere or self._app.rebalancing:
            stage.nowhere_since_s = None
            return
        if stage.nowhere_since_s is None:
            stage.nowhere_since_s = time.monotonic()
        if time.monotonic() - stage.nowhere_since_s > LOST_AFTER_S:
            reason = f"{handed_over} messages of {stage.topic} were handed over and are nowhere"
            self._app.end(reason, EXIT_BROKEN)
