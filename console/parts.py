"""What the web process is handed, and the few settings it goes by. Nothing here knows Kafka, Faust or
HTTP.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from console.metrics import Metrics
from console.read_model.log import Archive
from console.read_model.model import ReadModel
from engine.catalog import Catalog
from schemas.actions import ActionSpec
from schemas.outgoing import AsItCame, Outgoing
from schemas.topics import ALERTS, Topic

Only = Literal["hooks", "console"]


class Sent(Protocol):
    """Where a record stands once the broker has acknowledged it."""

    @property
    def partition(self) -> int: ...

    @property
    def offset(self) -> int: ...


class Writer(Protocol):
    """The way to the topics."""

    async def send(self, send: Outgoing, /) -> Sent:
        """Send, and wait for the broker's acknowledgement (acks=all)."""

    async def put_back(self, message: AsItCame, /) -> Sent:
        """The same with bytes, key and headers as somebody else wrote them."""

    async def reachable(self, topic: Topic, /) -> None:
        """Return if the topic could take a record now, without writing one. Raises anything else."""


class CatalogSource(Protocol):
    """The catalog as it is read from its topic."""

    @property
    def catalog(self) -> Catalog: ...

    @property
    def ready(self) -> bool:
        """The topic has been read to what was its end when reading began."""

    async def reached(self, offset: int, /) -> None:
        """Wait until the catalog knows everything before `offset`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSettings:
    """Settings of the web process, in the units their names say."""

    version: str = "0"
    instance: str = "only"
    """Which of several web processes this is."""
    public_url: str = ""
    """Address under which others reach this process; empty: that of each request."""
    auth: bool = True
    """False: everybody on this machine is owner. Only for a process that listens on loopback."""
    owner_token_sha256: str = ""
    """SHA-256 (hex) of a token that is always owner, to make the first token with; empty: none."""
    body_bytes_max: int = 256 * 1024
    durable_within_s: float = 10.0
    """Datadog gives up at 15 s."""
    retry_after_s: int = 5
    in_flight_bytes_max: int = 64 * 1024 * 1024
    """Bodies being received or waiting for the broker, all together."""
    record_bytes_max: int = 900 * 1024
    playbook_bytes_max: int = 256 * 1024
    answered_within_s: float = 3.0
    """How long an answer waits to see whether it was the first."""
    playbook_steps_max: int = 500
    nesting_max: int = 10
    loop_items_max: int = 1_000
    streams_max: int = 200
    """Runs followed live at the same time."""
    sandbox_url: str = ""
    """Where the Datadog sandbox is, for the landing page; empty: events go elsewhere."""
    datadog_elsewhere: bool = False
    """Events go to an address that was set in place of Datadog's own."""


class LastSend:
    """How the last record that was sent fared: the only sign of the broker that a taker of hooks has.

    Where no other is sent, because a balancer took the process out, `mend` asks the broker, seldom.
    """

    LATELY_S = 30.0
    """A failure counts for so long: a process that gets no traffic while it is not ready must become so
    again.
    """

    ASK_EVERY_S = 1.0
    ASK_WITHIN_S = 2.0

    def __init__(self) -> None:
        self._failed_at_s: float | None = None
        self._asked_at_s = 0.0

    def note(self, *, durable: bool) -> None:
        """It was acknowledged, or not."""
        self._failed_at_s = None if durable else time.monotonic()

    def failed_lately(self) -> bool:
        """It was not acknowledged, and that was not long ago."""
        return self._failed_at_s is not None and time.monotonic() - self._failed_at_s < self.LATELY_S

    async def mend(self, writer: Writer) -> None:
        """After a failure, see whether alerts could be written now. Costs nothing else, and is bounded."""
        now_s = time.monotonic()
        failed_at_s = self._failed_at_s
        if not self.failed_lately() or now_s - self._asked_at_s < self.ASK_EVERY_S:
            return
        self._asked_at_s = now_s
        with contextlib.suppress(Exception):  # whatever it is, it says only: not yet
            async with asyncio.timeout(self.ASK_WITHIN_S):
                await writer.reachable(ALERTS)
            if self._failed_at_s == failed_at_s:  # none failed since
                self._failed_at_s = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Everything the handlers work with."""

    settings: WebSettings
    writer: Writer
    catalog: CatalogSource
    archive: Archive | None
    """For fetching a single record; None where there is no read model."""
    read_model: ReadModel | None
    """None in a process that only takes hooks."""
    actions: Mapping[str, ActionSpec] = field(default_factory=dict)
    secret_names: Callable[[], Collection[str]] | None = None
    """Names of the secrets that executors have; None: not known here."""
    metrics: Metrics
    last_send: LastSend = field(default_factory=LastSend)
    letters: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while a dead letter is dealt with."""
    stopping: asyncio.Event
    """Set when the process is to stop: streams and waits end."""
