"""What the local broker is told: Java's flags, Kafka's properties, where it logs, on which ports it listens.

Chosen for one node on a small machine that is started and stopped often; a deployment's Kafka is configured
by the people who run it (`docker-compose.yml` is the example). Starting it is `local_kafka.py`.
"""

import json
import socket
from dataclasses import dataclass
from pathlib import Path

from schemas.topics import MESSAGE_BYTES_MAX

LOOPBACK = "127.0.0.1"
HEAP_MAX_MB = 512
OFFSETS_KEPT_MINUTES = 525_600
"""A year: committed positions must outlive a laptop's holidays; Kafka's default forgets them after a week."""

SERVER_PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{host}:{controller_port}
listeners=PLAINTEXT://{host}:{port},CONTROLLER://{host}:{controller_port}
advertised.listeners=PLAINTEXT://{host}:{port}
controller.listener.names=CONTROLLER
log.dirs={log_dir}
auto.create.topics.enable=false
message.max.bytes={message_bytes_max}
replica.fetch.max.bytes={message_bytes_max}
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
offsets.retention.minutes={offsets_kept_minutes}
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=1
broker.heartbeat.interval.ms=500
broker.session.timeout.ms=3000
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
num.network.threads=2
num.io.threads=2
background.threads=2
log.cleaner.dedupe.buffer.size=8388608
metric.reporters=
"""

LOG_PROPERTIES = """\
status=error
appender.file.type=RollingFile
appender.file.name=file
appender.file.fileName={log_file}
appender.file.filePattern={log_file}.%i
appender.file.layout.type=PatternLayout
appender.file.layout.pattern=%d{{yyyy-MM-dd'T'HH:mm:ss.SSSXXX}} %p %m (%c)%n
appender.file.policies.type=Policies
appender.file.policies.size.type=SizeBasedTriggeringPolicy
appender.file.policies.size.size=10MB
appender.file.strategy.type=DefaultRolloverStrategy
appender.file.strategy.max=2
rootLogger.level=warn
rootLogger.appenderRef.file.ref=file
"""

PORTS_FILE = "ports.json"
"""The ports of last time, in the broker's folder."""


@dataclass(frozen=True, slots=True)
class Ports:
    """Both on loopback: clients use `broker`, the broker talks to itself on `controller`."""

    broker: int
    controller: int


def java_flags(log_properties: Path, scratch_dir: Path) -> list[str]:
    """Java's flags. Measured on 2 cores: start 2.5 s, 175 MB. With C2 (no TieredStopAtLevel) a quarter more
    CPU to start, 60 MB more, twice the CPU per record in the first ten seconds, and a gain (a third less CPU
    per record) only after a minute at full load.
    """
    return [
        f"-Xmx{HEAP_MAX_MB}m",
        "-Xms64m",
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        "-XX:-UsePerfData",
        "-XX:+ExitOnOutOfMemoryError",
        "-Djava.awt.headless=true",
        # The native parts of the compression codecs are unpacked here; /tmp may be mounted noexec.
        f"-Djava.io.tmpdir={scratch_dir}",
        f"-Dlog4j2.configurationFile={log_properties}",
        "-Dlog4j2.disableJmx=true",
    ]


def server_properties(log_dir: Path, ports: Ports) -> str:
    return SERVER_PROPERTIES.format(
        host=LOOPBACK,
        port=ports.broker,
        controller_port=ports.controller,
        log_dir=log_dir,
        message_bytes_max=MESSAGE_BYTES_MAX,
        offsets_kept_minutes=OFFSETS_KEPT_MINUTES,
    )


def log_properties(log_file: Path) -> str:
    return LOG_PROPERTIES.format(log_file=log_file)


def choose_ports(remembered: Path) -> Ports:
    """The ports of last time if they are free, so that clients find a restarted broker; else two free
    ones.
    """
    ports = _read_ports(remembered)
    if ports is None or not (_is_free(ports.broker) and _is_free(ports.controller)):
        ports = _free_ports()
        remembered.write_text(json.dumps({"broker": ports.broker, "controller": ports.controller}))
    return ports


def remembered_broker_port(folder: Path) -> int | None:
    """The port on which the broker of this folder listened last; None where there was none."""
    ports = _read_ports(folder / PORTS_FILE)
    return None if ports is None else ports.broker


def _read_ports(remembered: Path) -> Ports | None:
    try:
        noted = json.loads(remembered.read_text())
        return Ports(int(noted["broker"]), int(noted["controller"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As Java does: a port whose last connections are still closing counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def _free_ports() -> Ports:
    with socket.socket() as first, socket.socket() as second:
        first.bind((LOOPBACK, 0))
        second.bind((LOOPBACK, 0))
        return Ports(first.getsockname()[1], second.getsockname()[1])
