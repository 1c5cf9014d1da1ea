"""What an executor is told: names, bounds, its identity. Made by the composition root from the settings."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Identity:
    """Who claims and answers. `instance` is stable over restarts, `boot` is new at every start."""

    instance: str
    boot: str
    booted_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutorConfig:
    """All bounds of one executor process."""

    kafka: Mapping[str, Any] = field(repr=False)
    """Keyword arguments of every aiokafka client: bootstrap_servers, security."""
    prefix: str = "pulsebook."
    """Prefix of topics and of the consumer group."""
    instance: str
    """Stable over restarts, unique among the executors of the prefix; also the static group membership."""
    concurrency: int = 64
    """Steps carried out at once; as many claims may wait for their grant beside them."""
    open_steps_max: int = 1_000
    """Steps read and not ended beyond which partitions are paused while all slots are busy."""
    open_bytes_max: int = 64 * 1024 * 1024
    """The same in bytes of their journal records."""
    commit_every_s: float = 1.0
    recommit_every_s: float = 5.0
    """A commit that says nothing new proves that we are still a member, and keeps offsets from expiring."""
    session_timeout_s: float = 30.0
    """How long the group waits for a member that fell silent before it gives its partitions to others."""
    heartbeat_every_s: float = 3.0
    """At most: there are three in a session timeout, so that a late one does not cost the membership."""
    stop_grace_s: float = 25.0
    """How long running steps may go on after a stop was asked for."""

    @property
    def heartbeat_ms(self) -> int:
        """Between two heartbeats."""
        return round(min(self.heartbeat_every_s, self.session_timeout_s / 3) * 1000)

    @property
    def group(self) -> str:
        """The consumer group."""
        return f"{self.prefix}executor"
