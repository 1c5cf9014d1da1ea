"""A whole Pulsebook on this machine for a test: `pulsebook up` as a user starts it, and how to talk to it."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import psutil

from tests.conftest import OWN_SETTINGS

ROOT = Path(__file__).parents[2]
START_WITHIN_S = 90.0
STOP_WITHIN_S = 15.0
ENDED = ("succeeded", "failed", "cancelled", "dropped")
CACHE = {
    name: value
    for name, value in OWN_SETTINGS.items()
    if name in ("PULSEBOOK_CACHE_DIR", "PULSEBOOK_MAVEN_URL")
}
"""Where the broker's jars are."""


class Machine:
    """`up` in a folder of its own. `said`: what it has printed since it was started last."""

    def __init__(
        self, folder: Path, playbooks: Path = ROOT / "playbooks", environment: Mapping[str, str] | None = None
    ) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.port = five_free_ports()
        self.playbooks = playbooks
        self.environment = {**os.environ, **CACHE, **(environment or {})}
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def sandbox(self) -> str:
        return f"http://127.0.0.1:{self.port + 1}"

    @property
    def said(self) -> str:
        return (self.folder / "up.log").read_text()

    @property
    def running(self) -> "subprocess.Popen[bytes]":
        assert self.process is not None
        return self.process

    def up(self, *options: str, **environment: str) -> None:
        """Start it and return at once."""
        command = [sys.executable, "-m", "cli.main", "up", "--data", str(self.data), "--port", str(self.port)]
        with (self.folder / "up.log").open("wb") as log:
            self.process = subprocess.Popen(
                [*command, "--playbooks", str(self.playbooks), *options],
                cwd=ROOT,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                env={**self.environment, **environment},
            )

    def start(self) -> float:
        """Start it and wait for the line `ready`; the seconds that took."""
        began = time.monotonic()
        self.up()
        eventually(self._is_ready, START_WITHIN_S)
        return time.monotonic() - began

    def _is_ready(self) -> bool:
        assert self.running.poll() is None, self.said
        return f"ready {self.url}" in self.said

    def stop(self) -> float:
        """Ctrl-C, and wait; the seconds that took."""
        began = time.monotonic()
        self.running.send_signal(signal.SIGINT)
        self.running.wait(STOP_WITHIN_S + 15)
        return time.monotonic() - began

    def force(self) -> None:
        """However it stands, it ends."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def cli(self, *arguments: str, stdin: bytes = b"") -> "subprocess.CompletedProcess[str]":
        """One `pulsebook` command against it."""
        done = subprocess.run(
            [sys.executable, "-m", "cli.main", *arguments],
            cwd=ROOT,
            input=stdin,
            capture_output=True,
            env={**self.environment, "PULSEBOOK_URL": self.url, "PULSEBOOK_DATA_DIR": str(self.data)},
            timeout=120,
            check=False,
        )
        out, err = done.stdout.decode(), done.stderr.decode()
        return subprocess.CompletedProcess(done.args, done.returncode, out, err)

    def documents(self, *arguments: str) -> list[Any]:
        """The JSON documents of a command."""
        done = self.cli(*arguments, "--json")
        assert done.returncode in (0, 1), done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    def get(self, path: str, base: str = "") -> Any:
        """GET as JSON, from the API or from `base`."""
        return httpx.get((base or self.url) + path, timeout=30, trust_env=False).raise_for_status().json()

    def post(self, url: str, body: bytes, content_type: str = "application/json") -> tuple[int, Any]:
        """POST; status and JSON answer, whatever they are."""
        answer = httpx.post(
            url, content=body, headers={"Content-Type": content_type}, timeout=30, trust_env=False
        )
        return answer.status_code, answer.json()

    @property
    def hook(self) -> str:
        """The address of the endpoint `demo`, as it was printed."""
        line = next(line for line in self.said.splitlines() if line.startswith("endpoint demo: "))
        return line.removeprefix("endpoint demo: ").strip()

    def ended_runs(self, alert_id: str) -> list[dict[str, Any]]:
        """The runs of an alert, once there are some and all have ended; else none."""
        runs = self.get(f"/api/v1/runs?alert_id={alert_id}")["items"]
        return runs if runs and all(run["status"] in ENDED for run in runs) else []

    def events(self) -> list[dict[str, Any]]:
        """What Datadog would have got, all of it."""
        found: list[dict[str, Any]] = []
        while page := self.get(f"/api/v1/events?page={len(found) // 1000}", self.sandbox)["events"]:
            found += page
            if len(page) < 1000:
                break
        return found

    def child(self, name: str) -> psutil.Process:
        """The running process of this name: web, processor, executor, sink, sandbox."""
        return eventually(lambda: self._child(name), 20)  # type: ignore[no-any-return]  # of what is asked

    def _child(self, name: str) -> psutil.Process | None:
        for each in psutil.Process(self.running.pid).children():
            with contextlib.suppress(psutil.Error):
                line = each.cmdline()
                if "cli.main" in line and line[line.index("cli.main") + 1] == name:
                    return each
        return None

    @property
    def servers(self) -> str:
        """Address of its broker."""
        return f"127.0.0.1:{json.loads((self.data / 'kafka' / 'ports.json').read_text())['broker']}"

    @property
    def broker_pid(self) -> int:
        return int((self.data / "kafka" / "java.pid").read_text())

    def left_over(self) -> list[str]:
        """Command lines of processes, other than `up` itself, that use the folder."""
        found = []
        for each in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                line = " ".join(each.cmdline())
                uses = str(self.folder) in line or str(self.data) == each.environ().get("PULSEBOOK_DATA_DIR")
                if uses and each.pid != self.running.pid and each.status() != psutil.STATUS_ZOMBIE:
                    found.append(line[:200])
        return found


@contextlib.contextmanager
def machine(
    folder: Path, playbooks: Path = ROOT / "playbooks", environment: Mapping[str, str] | None = None
) -> Iterator[Machine]:
    """A started machine, stopped (by force if need be) at the end."""
    made = Machine(folder, playbooks, environment)
    try:
        made.start()
        yield made
    finally:
        made.force()


def eventually(check: Callable[[], Any], within_s: float = 30.0) -> Any:
    """What `check` answers as soon as that is true."""
    deadline = time.monotonic() + within_s
    while True:
        if found := check():
            return found
        assert time.monotonic() < deadline, f"not within {within_s} s"
        time.sleep(0.2)


def five_free_ports() -> int:
    """The first of five neighbouring ports that nobody uses now."""
    start = 18_000 + os.getpid() % 900 * 10
    for first in range(start, start + 1_000, 10):
        with contextlib.ExitStack() as held:
            try:
                for port in range(first, first + 5):
                    held.enter_context(socket.socket()).bind(("127.0.0.1", port))
            except OSError:
                continue
            return first
    raise AssertionError("no free ports")
