"""Counting runs and steps for the metrics: how many runs of which status the table holds, how steps ended."""

from collections import Counter

from engine.run.state import Run
from schemas.events import JournalRecord, StepFailed, StepSucceeded
from streams.entries import Kept
from streams.metrics import Metrics


class RunCensus:
    """Runs by status in this worker's part of the table `runs`."""

    def __init__(self, metrics: Metrics) -> None:
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


def count_events(metrics: Metrics, journal: JournalRecord | None) -> None:
    """Count the steps that ended with this journal record."""
    for event in () if journal is None else journal.events:
        if isinstance(event, StepSucceeded):
            metrics.step_seconds.labels("succeeded").observe(event.duration_ms / 1000)
        elif isinstance(event, StepFailed):
            metrics.step_seconds.labels(event.status).observe(event.duration_ms / 1000)
            if event.status == "unknown":
                metrics.unknown_steps.inc()
