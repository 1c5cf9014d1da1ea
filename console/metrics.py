"""The web process's own numbers, for Prometheus. Those of the read model are read from it when asked.

All names: docs/metrics.md. Each web process has a read model of its own, with the same content: what such a
copy holds is named `pulsebook_read_model_…` and must not be summed.
"""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

ACK_BUCKETS_S = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """One set a process, in a registry of its own. `hooks`, `console`: whether the process is that."""

    def __init__(self, *, hooks: bool, console: bool) -> None:
        self.registry = CollectorRegistry(auto_describe=False)
        # What a process does not measure is not registered: 0 would be a statement.
        of_hooks = self.registry if hooks else None
        of_console = self.registry if console else None
        self.hooks = Counter(
            "pulsebook_webhooks",
            "Webhook calls by how they were answered.",
            ["result"],
            registry=of_hooks,
        )
        self.hook_seconds = Histogram(
            "pulsebook_webhook_seconds",
            "Time from a webhook's first byte in the application to its 202.",
            buckets=ACK_BUCKETS_S,
            registry=of_hooks,
        )
        self.in_flight_bytes = Gauge(
            "pulsebook_webhook_in_flight_bytes", "Webhook bodies not yet answered.", registry=of_hooks
        )
        self.requests = Counter(
            "pulsebook_http_requests",
            "HTTP requests but webhooks, by status.",
            ["status"],
            registry=self.registry,
        )
        self.streams = Gauge("pulsebook_run_streams", "Runs being followed live.", registry=of_console)
        self.runs = Gauge(
            "pulsebook_read_model_runs", "Runs that this copy holds.", ["status"], registry=of_console
        )
        self.known = Gauge(
            "pulsebook_read_model_rows",
            "Alerts, publications and dead letters that this copy holds.",
            ["what"],
            registry=of_console,
        )
        self.letters_by_state = Gauge(
            "pulsebook_read_model_dead_letters",
            "Dead letters that this copy holds: open, redriven, dropped.",
            ["state"],
            registry=of_console,
        )
        self.model_lag_s = Gauge(
            "pulsebook_read_model_lag_seconds",
            "Age of the newest record when it was committed.",
            registry=of_console,
        )
        self.model_behind = Gauge(
            "pulsebook_read_model_behind_records",
            "Records not read yet, when last looked.",
            registry=of_console,
        )
        self.since_commit = Gauge(
            "pulsebook_seconds_since_commit",
            "Time since the last commit that worked; about 0 while nothing waits for one.",
            registry=of_console,
        )
        self.model_records = Gauge(
            "pulsebook_read_model_records", "Records read since the start.", registry=of_console
        )
        self.model_unreadable = Gauge(
            "pulsebook_read_model_unreadable", "Records passed over since the start.", registry=of_console
        )
        self.journal_conflicts = Gauge(
            "pulsebook_read_model_conflicts",
            "Journal records that came again with other content.",
            registry=of_console,
        )
