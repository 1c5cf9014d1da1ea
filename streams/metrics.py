"""What a worker can tell Prometheus: each process registers only what it measures.

All names: docs/metrics.md. Numbers that are known when something happens are told where it does;
the others are in `watching`.
"""

from prometheus_client import CollectorRegistry, Counter, Gauge


class Metrics:
    """What every worker measures, in a registry of its own."""

    stages: tuple[str, ...] = ()

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = CollectorRegistry() if registry is None else registry
        self.dead_letters = Counter(
            "pulsebook_dead_letters",
            "Messages that this process could not handle and put aside.",
            ["stage"],
            registry=self.registry,
        )
        for stage in self.stages:
            # 0 from the start: what appears as 1 is no increase to Prometheus.
            self.dead_letters.labels(stage)
        self.since_commit = Gauge(
            "pulsebook_seconds_since_commit",
            "Time since the last commit that worked; about 0 while nothing waits for one.",
            registry=self.registry,
        )
        self.rebuilding = Gauge(
            "pulsebook_rebuilding_partitions",
            "Partitions that are made again, or wait for their turn.",
            ["table"],
            registry=self.registry,
        )
        self.rebuilt_rows = Counter(
            "pulsebook_rebuilt_rows",
            "Rows by what a rebuild came to: equal, differing, or kept as they were.",
            ["table", "result"],
            registry=self.registry,
        )
        self.inputs = Counter("pulsebook_inputs", "Messages handled.", ["agent"], registry=self.registry)


class ProcessorMetrics(Metrics):
    """What the processor measures: it alone matches, admits, advances and fires timers."""

    stages = ("match", "admit", "advance")

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        super().__init__(registry)
        self.oldest_undecided_alert = Gauge(
            "pulsebook_oldest_undecided_alert_seconds",
            "Age of the oldest alert that was not matched yet.",
            registry=self.registry,
        )
        self.admissions_lag = Gauge(
            "pulsebook_admissions_lag_seconds",
            "Age of the oldest record of admissions that is not settled.",
            registry=self.registry,
        )
        self.inbox_lag = Gauge(
            "pulsebook_inbox_lag_seconds",
            "Age of the oldest input of a run that is not settled.",
            registry=self.registry,
        )
        self.timer_lateness = Gauge(
            "pulsebook_timer_lateness_seconds",
            "How late the latest timer of the last minute fired.",
            ["table"],
            registry=self.registry,
        )
        self.timers_pending = Gauge(
            "pulsebook_timers_pending", "Timers due soon.", ["table"], registry=self.registry
        )
        self.unknown_steps = Counter(
            "pulsebook_unknown_steps",
            "Steps that may or may not have had their effect, as the journal says.",
            registry=self.registry,
        )
        self.runs = Gauge(
            "pulsebook_runs", "Runs in this worker's part of the table.", ["status"], registry=self.registry
        )
        self.held_partitions = Gauge(
            "pulsebook_held_partitions",
            "Partitions of alerts that wait for the schema registry.",
            registry=self.registry,
        )
        self.held_alerts = Gauge(
            "pulsebook_held_alerts", "Alerts in this worker that wait for that.", registry=self.registry
        )
        self.contradictions = Counter(
            "pulsebook_journal_contradictions",
            "Journal records of a run and seq that had come before with other content.",
            registry=self.registry,
        )


class SinkMetrics(Metrics):
    """What the sink measures: it alone posts."""

    stages = ("notify",)

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        super().__init__(registry)
        self.sink_lag = Gauge(
            "pulsebook_sink_lag_seconds",
            "Age of the oldest journal record whose reports are not all posted.",
            registry=self.registry,
        )
        self.posts = Counter(
            "pulsebook_posts", "Posts to Datadog, by what came of them.", ["result"], registry=self.registry
        )
