"""The web process's own numbers, for Prometheus. Those of the read model are read from it when asked."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

ACK_BUCKETS_S = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """One set a process, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry(auto_describe=False)
        self.hooks = Counter(
            "pulsebook_webhooks",
            "Webhook calls by how they were answered",
            ["result"],
            registry=self.registry,
        )
        self.hook_seconds = Histogram(
            "pulsebook_webhook_seconds",
            "Time from a webhook's first byte in the application to its 202",
            buckets=ACK_BUCKETS_S,
            registry=self.registry,
        )
        self.in_flight_bytes = Gauge(
            "pulsebook_webhook_in_flight_bytes", "Webhook bodies not yet answered", registry=self.registry
        )
        self.requests = Counter(
            "pulsebook_http_requests",
            "HTTP requests but webhooks, by status",
            ["status"],
            registry=self.registry,
        )
        self.streams = Gauge("pulsebook_run_streams", "Runs being followed live", registry=self.registry)
        self.runs = Gauge("pulsebook_runs", "Runs by status", ["status"], registry=self.registry)
        self.known = Gauge(
            "pulsebook_records_known",
            "Alerts, publications and dead letters known",
            ["what"],
            registry=self.registry,
        )
        self.dead_letters = Gauge("pulsebook_dead_letters", "Dead letters kept", registry=self.registry)
        self.letters_by_state = Gauge(
            "pulsebook_dead_letters_by_state",
            "Dead letters kept that are open, were redriven, were dropped",
            ["state"],
            registry=self.registry,
        )
        self.model_lag_s = Gauge(
            "pulsebook_read_model_lag_seconds",
            "Age of the newest record when it was committed",
            registry=self.registry,
        )
        self.model_behind = Gauge(
            "pulsebook_read_model_behind_records",
            "Records not read yet, when last looked",
            registry=self.registry,
        )
        self.model_idle_s = Gauge(
            "pulsebook_read_model_since_commit_seconds",
            "Seconds since the last commit",
            registry=self.registry,
        )
        self.model_records = Gauge(
            "pulsebook_read_model_records", "Records read since the start", registry=self.registry
        )
        self.model_unreadable = Gauge(
            "pulsebook_read_model_unreadable", "Records passed over since the start", registry=self.registry
        )
        self.journal_conflicts = Gauge(
            "pulsebook_journal_conflicts",
            "Journal records that came again with other content",
            registry=self.registry,
        )
