"""Who waits for a run to go on: told after every commit of the read model, in this process only."""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Iterable, Iterator


class Watchers:
    """Run ids and the events of those who watch them. Used from the event loop's thread only."""

    def __init__(self) -> None:
        self._events: defaultdict[str, set[asyncio.Event]] = defaultdict(set)

    @contextlib.contextmanager
    def watch(self, run_id: str) -> Iterator[asyncio.Event]:
        """An event that is set whenever the run went on; the watcher clears it, then looks."""
        event = asyncio.Event()
        self._events[run_id].add(event)
        try:
            yield event
        finally:
            self._events[run_id].discard(event)
            if not self._events[run_id]:
                del self._events[run_id]

    def changed(self, run_ids: Iterable[str]) -> None:
        """These runs went on."""
        if self._events:
            for run_id in run_ids:
                for event in self._events.get(run_id, ()):
                    event.set()

    def wake_all(self) -> None:
        """Everybody is to look again: the process stops, or the tables were made again."""
        for events in self._events.values():
            for event in events:
                event.set()

    def __len__(self) -> int:
        return sum(map(len, self._events.values()))
