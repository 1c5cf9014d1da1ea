"""What an executor counts, for Prometheus. Nothing is decided here. All names: docs/metrics.md."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_DURATIONS_S = (0.001, 0.005, 0.025, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600)


class Metrics:
    """The metrics of one executor, in the registry given."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.in_flight = Gauge(
            "pulsebook_executor_steps_in_flight", "Steps whose action works at present.", registry=registry
        )
        self.waiting = Gauge(
            "pulsebook_executor_steps_waiting", "Steps that wait for a slot or a grant.", registry=registry
        )
        self.since_commit = Gauge(
            "pulsebook_seconds_since_commit",
            "Time since the last commit that worked; about 0 while nothing waits for one.",
            registry=registry,
        )
        self.full = Gauge(
            "pulsebook_executor_full", "1 while reading pauses because too much is open.", registry=registry
        )
        self.dead_letters = Counter(
            "pulsebook_dead_letters",
            "Messages that this process could not handle and put aside.",
            ["stage"],
            registry=registry,
        )
        # 0 from the start: what appears as 1 is no increase to Prometheus.
        self.dead_letters.labels("executor")
        self.contradictions = Counter(
            "pulsebook_journal_contradictions",
            "Journal records of a run and seq that had come before with other content.",
            registry=registry,
        )
        self._durations = Histogram(
            "pulsebook_step_duration_seconds",
            "How long attempts took.",
            ("action", "status"),
            buckets=_DURATIONS_S,
            registry=registry,
        )
        self._bound: dict[tuple[str, str], Histogram] = {}

    def ended(self, action: str, status: str, duration_s: float) -> None:
        """An attempt ended."""
        observed = self._bound.get((action, status))
        if observed is None:
            observed = self._bound[action, status] = self._durations.labels(action, status)
        observed.observe(duration_s)
