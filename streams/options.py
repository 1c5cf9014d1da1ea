"""How a worker is set up: what differs between deployments, and Faust's settings that follow from it.

Why each setting is what it is stands in docs/decisions/0001-faust-hardened.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fetch_pace import Fetching, FetchPace
from streams.hardened.credentials import broker_urls, credentials

WEEK_S = 7 * 86_400
HEARTBEATS_MIN = 3
"""In a session timeout: one that is late must not cost the membership."""
AT_ONCE, GATHERED = Fetching(min_bytes=1, wait_ms=50), Fetching(min_bytes=16 * 1024, wait_ms=20)
UNHURRIED = Fetching(min_bytes=64 * 1024, wait_ms=200)
PACES = {"processor": (AT_ONCE, GATHERED), "sink": (UNHURRIED, UNHURRIED)}
"""How each app fetches while few records come, and while many do. A post may be 0.2 s late."""


@dataclass(frozen=True, slots=True)
class WorkerOptions:
    """What a processor and a sink are given. Times in the units of their names."""

    kafka: Mapping[str, Any]
    """Keyword arguments of an aiokafka client: servers and security."""
    prefix: str
    """Of all topics, such as `pulsebook.`."""
    partitions: int
    data_dir: Path
    """For the tables' databases; of this process alone."""
    topic_ids: Mapping[str, str]
    """Full topic name to the id that Kafka gave it (`connectors.topic_ids`)."""
    instance_id: str | None = None
    """Stable over restarts of one worker: a restart within the session timeout then causes no rebalance."""
    session_timeout_s: float = 45.0
    heartbeat_s: float = 3.0
    """At most; more often where the session timeout is short."""
    rebalance_timeout_s: float = 90.0
    commit_every_s: float = 1.0
    linger_ms: int = 5
    record_bytes_max: int = 921_600

    def topic_id(self, topic: str) -> str:
        """The id of a topic, by its full name. Raises LookupError with a sentence for a person."""
        try:
            return self.topic_ids[topic]
        except KeyError:
            raise LookupError(f"the topic {topic} does not exist: run `pulsebook topics create`") from None


def faust_settings(options: WorkerOptions, name: str) -> dict[str, Any]:
    """Faust's settings of the app `name`. Its id, and so its changelogs' names, are made of prefix and
    name.
    """
    return {
        "broker": broker_urls(options.kafka),
        "broker_credentials": credentials(options.kafka),
        "broker_client_id": f"{options.prefix}{name}",
        "store": "rocksdb://",
        "datadir": str(options.data_dir),
        "agent_supervisor": "mode.CrashingSupervisor",
        "topic_partitions": options.partitions,
        "topic_allow_declare": False,
        "topic_disable_leader": True,
        "consumer_auto_offset_reset": "earliest",
        "consumer_group_instance_id": options.instance_id,
        "consumer_max_fetch_size": 262_144,
        "session_timeout_s": options.session_timeout_s,
        "fetch_pace": FetchPace(*PACES[name]),
        "broker_heartbeat_interval": min(options.heartbeat_s, options.session_timeout_s / HEARTBEATS_MIN),
        "broker_rebalance_timeout": options.rebalance_timeout_s,
        "broker_request_timeout": max(90.0, options.session_timeout_s),
        "broker_max_poll_interval": WEEK_S,
        "broker_max_poll_records": 500,
        "broker_commit_interval": options.commit_every_s,
        "stream_buffer_maxsize": 4_096,
        "producer_acks": -1,
        "producer_linger": options.linger_ms / 1000,
        "producer_max_batch_size": 262_144,
        "producer_max_request_size": 2 * 1024 * 1024,
        "producer_compression_type": "lz4",
        "producer_request_timeout": 60.0,
        "producer_threaded": False,
        "table_standby_replicas": 0,
        "web_enabled": False,
        "cython_optimizations": True,
    }
