"""The jars of the local broker: which, how large, their checksums, and how they come into the user's cache.

`kafka_jars.sha256` pins each by Maven coordinate, size and SHA-256; `local_kafka_pin.py` writes it. Nothing
is resolved here: no POM is read, and nothing but what is pinned can come in. Running the broker is elsewhere.
"""

import fcntl
import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from connectors.local_kafka_errors import ExtraMissing, JarAltered, JarsUnavailable

PIN_FILE = Path(__file__).with_name("kafka_jars.sha256")
KAFKA_VERSION = "4.1.2"
DOWNLOADS_AT_ONCE = 6
DOWNLOAD_TIMEOUT_S = 20
DOWNLOAD_ATTEMPTS = 2


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
) -> list[Path]:
    """The jars as files, each verified by checksum; what is absent or damaged is fetched from a Maven
    `repository` ("": Maven Central).

    Safe with two starting at once: the second waits and finds the files. Raises JarsUnavailable, JarAltered,
    ExtraMissing.
    """
    wanted = pinned_jars() if jars is None else jars
    folder = cache_dir / f"kafka-{KAFKA_VERSION}"
    folder.mkdir(parents=True, exist_ok=True)
    with _alone(folder / ".lock", on_progress):
        missing = [jar for jar in wanted if not _is_intact(folder / jar.filename, jar)]
        if missing:
            _fetch(missing, folder, on_progress, repository)
    return [folder / jar.filename for jar in wanted]


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _alone(lock_file: Path, on_progress: Callable[[str], None]) -> Iterator[None]:
    with lock_file.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            on_progress("waiting for another download of Apache Kafka to end")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _is_intact(path: Path, jar: Jar) -> bool:
    try:
        return path.stat().st_size == jar.size_bytes and sha256_of(path) == jar.sha256
    except FileNotFoundError:
        return False


def _fetch(missing: list[Jar], folder: Path, on_progress: Callable[[str], None], repository: str) -> None:
    total_mb = sum(jar.size_bytes for jar in missing) / 1e6
    on_progress(f"fetching Apache Kafka {KAFKA_VERSION}: {len(missing)} files, {total_mb:.0f} MB, once")
    done_bytes = 0
    # The scratch folder is on the cache's file system, so that putting a jar in place is one atomic rename.
    with (
        tempfile.TemporaryDirectory(prefix=".fetch-", dir=folder) as scratch,
        ThreadPoolExecutor(DOWNLOADS_AT_ONCE, thread_name_prefix="kafka-jars") as pool,
    ):
        pending = {pool.submit(_fetch_one, jar, Path(scratch), folder, repository) for jar in missing}
        while pending:
            finished, pending = wait(pending, timeout=1, return_when=FIRST_EXCEPTION)
            failed = next((future for future in finished if future.exception()), None)
            if failed is not None:
                pool.shutdown(wait=False, cancel_futures=True)
                failed.result()
            if finished:
                done_bytes += sum(future.result().size_bytes for future in finished)
                on_progress(f"fetched {done_bytes / 1e6:.0f} of {total_mb:.0f} MB")


def _fetch_one(jar: Jar, scratch: Path, folder: Path, repository: str) -> Jar:
    path = download(jar.coordinate, scratch, repository)
    found = sha256_of(path)
    if found != jar.sha256:
        raise JarAltered(jar.filename, jar.sha256, found)
    os.replace(path, folder / jar.filename)
    return jar


def download(coordinate: str, scratch: Path, repository: str = "") -> Path:
    """Fetches one jar by its Maven coordinate, to below `scratch`. Raises JarsUnavailable, ExtraMissing."""
    try:
        from jgo.maven import MavenContext
    except ImportError as absent:
        raise ExtraMissing from absent
    group, artifact, version = coordinate.split(":")
    repositories = {"mirror": repository} if repository else None
    context = MavenContext(repo_cache=scratch, remote_repos=repositories, timeout=DOWNLOAD_TIMEOUT_S)
    reason = ""
    for _ in range(DOWNLOAD_ATTEMPTS):
        wanted = context.project(group, artifact).at_version(version).artifact()
        try:
            return wanted.resolve()
        # A broken connection is an OSError (requests), an HTTP status other than 200 a RuntimeError (jgo).
        except (OSError, RuntimeError) as broken:
            reason = _innermost(broken)
            if wanted.cached_path is not None:
                wanted.cached_path.unlink(missing_ok=True)
    raise JarsUnavailable(coordinate, repository or "Maven Central", reason)


def _innermost(error: BaseException) -> str:
    """The reason at the bottom of a network error, which requests and urllib3 wrap in layers of brackets."""
    if isinstance(error, RuntimeError):
        return "the repository refuses it"
    causes = [getattr(error, "reason", None), *error.args]
    inner = next((cause for cause in causes if isinstance(cause, BaseException)), None)
    return str(error).rsplit("): ", 1)[-1] if inner is None else _innermost(inner)
