"""What a worker can tell Prometheus. Numbers that are known when something happens; the others are in
`watching`.
"""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

BATCH_BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


class Metrics:
    """The metrics of one process, in a registry of its own."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = CollectorRegistry() if registry is None else registry
        self.dead_letters = Counter(
            "pulsebook_dead_letters", "Messages that nobody could handle.", ["stage"], registry=self.registry
        )
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
        self.sink_lag = Gauge(
            "pulsebook_sink_lag_seconds",
            "Age of the oldest journal record whose reports are not all posted.",
            registry=self.registry,
        )
        self.timer_lateness = Gauge(
            "pulsebook_timer_lateness_seconds",
            "How late the latest timer of the last minute fired.",
            registry=self.registry,
        )
        self.timers_pending = Gauge(
            "pulsebook_timers_pending", "Timers due soon, by table.", ["table"], registry=self.registry
        )
        self.unknown_steps = Counter(
            "pulsebook_unknown_steps",
            "Steps that may or may not have had their effect.",
            registry=self.registry,
        )
        self.step_seconds = Histogram(
            "pulsebook_step_duration_seconds",
            "How long the last attempt of a step took.",
            ["status"],
            registry=self.registry,
        )
        self.since_commit = Gauge(
            "pulsebook_seconds_since_commit",
            "Time since the last commit that worked.",
            registry=self.registry,
        )
        self.runs = Gauge(
            "pulsebook_runs", "Runs in this worker's table, by status.", ["status"], registry=self.registry
        )
        self.contradictions = Counter(
            "pulsebook_journal_contradictions",
            "Journal records of a run and seq that had come before with other content.",
            registry=self.registry,
        )
        self.inputs = Counter(
            "pulsebook_inputs", "Messages handled, by agent.", ["agent"], registry=self.registry
        )
        self.posts = Counter(
            "pulsebook_posts", "Posts to Datadog, by what came of them.", ["result"], registry=self.registry
        )
