"""The jars of the local broker: which, how large, their checksums, and how they come into the user's cache.

`kafka_jars.sha256` pins each by Maven coordinate, size and SHA-256; `local_kafka_pin.py` writes it. Nothing
is resolved here: no POM is read, and nothing but what is pinned can come in. Running the broker is elsewhere.
"""

import fcntl
import hashlib
import itertools
import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from connectors.local_kafka_download import download
from connectors.local_kafka_errors import JarAltered, StartCancelled

PIN_FILE = Path(__file__).with_name("kafka_jars.sha256")
KAFKA_VERSION = "4.1.2"
DOWNLOADS_AT_ONCE = 6
REPORT_S = 1.0


@dataclass(frozen=True, slots=True)
class Jar:
    """One pinned jar. `coordinate` is group:artifact:version, `sha256` lower-case hex."""

    sha256: str
    size_bytes: int
    coordinate: str

    @property
    def filename(self) -> str:
        _, artifact, version = self.coordinate.split(":")
        return f"{artifact}-{version}.jar"


def default_cache_dir() -> Path:
    """Outside any checkout, and where the system expects things that can be fetched again."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pulsebook"


def pinned_jars(pin_file: Path = PIN_FILE) -> tuple[Jar, ...]:
    """All jars of the broker's class path, in the order of the pin file."""
    lines = (line for line in pin_file.read_text().splitlines() if line and not line.startswith("#"))
    return tuple(Jar(sha256, int(size), coordinate) for sha256, size, coordinate in map(str.split, lines))


def fetch_jars(
    cache_dir: Path,
    on_progress: Callable[[str], None],
    jars: tuple[Jar, ...] | None = None,
    repository: str = "",
    cancelled: threading.Event | None = None,
) -> list[Path]:
    """The jars as files, each verified by checksum; what is absent or damaged is fetched from a Maven
    `repository` ("": Maven Central).

    Safe with two starting at once: the second waits and finds the files. Setting `cancelled` from another
    thread ends it soon. Raises JarsUnavailable, JarAltered, ExtraMissing, StartCancelled.
    """
    wanted = pinned_jars() if jars is None else jars
    folder = cache_dir / f"kafka-{KAFKA_VERSION}"
    folder.mkdir(parents=True, exist_ok=True)
    fetch = _Fetch(folder, on_progress, repository, cancelled or threading.Event())
    with fetch.alone():
        missing = [jar for jar in wanted if not _is_intact(folder / jar.filename, jar)]
        if missing:
            fetch.run(missing)
    return [folder / jar.filename for jar in wanted]


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _is_intact(path: Path, jar: Jar) -> bool:
    try:
        return path.stat().st_size == jar.size_bytes and sha256_of(path) == jar.sha256
    except FileNotFoundError:
        return False


@dataclass(slots=True)
class _Fetch:
    """One fetching of what is missing, by several threads at once."""

    folder: Path
    on_progress: Callable[[str], None]
    repository: str
    cancelled: threading.Event
    over: threading.Event = field(default_factory=threading.Event)
    """One jar failed: the others need not come any more."""
    come_bytes: int = 0
    counting: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Among all processes of this user."""
        with (self.folder / ".lock").open("w") as lock:
            for waited in itertools.count():
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if waited == 0:
                        self.on_progress("waiting for another download of Apache Kafka to end")
                    if self.cancelled.wait(REPORT_S / 10):
                        raise StartCancelled from None
            yield

    def run(self, missing: list[Jar]) -> None:
        total_mb = sum(jar.size_bytes for jar in missing) / 1e6
        self.on_progress(
            f"fetching Apache Kafka {KAFKA_VERSION}: {len(missing)} files, {total_mb:.0f} MB, once"
        )
        for left_over in self.folder.glob(".fetch-*"):
            shutil.rmtree(left_over, ignore_errors=True)
        # On the cache's file system, so that putting a jar in place is one atomic rename.
        with (
            tempfile.TemporaryDirectory(prefix=".fetch-", dir=self.folder) as scratch,
            ThreadPoolExecutor(DOWNLOADS_AT_ONCE, thread_name_prefix="kafka-jars") as pool,
        ):
            pending = {pool.submit(self._fetch_one, jar, Path(scratch)) for jar in missing}
            told_mb = -1
            while pending:
                finished, pending = wait(pending, timeout=REPORT_S, return_when=FIRST_EXCEPTION)
                failed = [future for future in finished if future.exception()]
                if failed:
                    self.over.set()
                    pool.shutdown(wait=False, cancel_futures=True)
                    failed[0].result()
                come_mb = round(self.come_bytes / 1e6)
                if come_mb != told_mb:
                    self.on_progress(f"fetched {come_mb} of {total_mb:.0f} MB")
                told_mb = come_mb

    def _fetch_one(self, jar: Jar, scratch: Path) -> None:
        path = download(jar.coordinate, scratch, self.repository, self._count)
        found = sha256_of(path)
        if found != jar.sha256:
            raise JarAltered(jar.filename, jar.sha256, found)
        os.replace(path, self.folder / jar.filename)

    def _count(self, piece_bytes: int) -> None:
        if self.cancelled.is_set() or self.over.is_set():
            raise StartCancelled
        with self.counting:
            self.come_bytes += piece_bytes
