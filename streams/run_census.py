"""Counting for the metrics: how many runs of which status the table holds, how many steps nobody knows of."""

from collections import Counter

from engine.run.state import Run
from schemas.events import JournalRecord, StepFailed
from streams.entries import Kept
from streams.metrics import ProcessorMetrics


class RunCensus:
    """Runs by status in this worker's part of the table `runs`."""

    def __init__(self, metrics: ProcessorMetrics) -> None:
        self._metrics = metrics
        self._runs: Counter[str] = Counter()

    def found(self, key: str, row: Run) -> None:
        """A row that was there when its partition was assigned."""
        self._add(row, 1)

    def moved(self, kept: Kept[Run]) -> None:
        """A row has changed, come or gone."""
        self._add(kept.before, -1)
        self._add(kept.row, 1)

    def clear(self) -> None:
        """Nothing is known any more: all partitions were revoked."""
        for status in self._runs:
            self._runs[status] = 0

    def publish(self) -> None:
        """Tell the metrics."""
        for status, number in self._runs.items():
            self._metrics.runs.labels(status).set(number)

    def _add(self, row: Run | None, number: int) -> None:
        if row is not None:
            self._runs[row.status] += number


def count_events(metrics: ProcessorMetrics, journal: JournalRecord | None) -> None:
    """Count the steps that this record calls unknown. How long attempts took, the executor tells."""
    for event in () if journal is None else journal.events:
        if isinstance(event, StepFailed) and event.status == "unknown":
            metrics.unknown_steps.inc()
