"""A whole Pulsebook on this machine for a test: `pulsebook up` as a user starts it, and the command line to talk to it."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).parents[2]
START_WITHIN_S = 90.0
STOP_WITHIN_S = 15.0


class Machine:
    """`up` in a folder of its own. `said` is what it printed so far."""

    def __init__(self, folder: Path, playbooks: Path, **environment: str) -> None:
        self.folder = folder
        self.port = five_free_ports()
        self.playbooks = playbooks
        self.environment = {**os.environ, **environment}
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

    def start(self) -> float:
        """Start and wait for the line `ready`; the seconds it took."""
        began = time.monotonic()
        with (self.folder / "up.log").open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "cli.main", "up", "--data", str(self.folder / "data")]
                + ["--port", str(self.port), "--playbooks", str(self.playbooks)],
                cwd=ROOT,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                env=self.environment,
            )
        eventually(lambda: self._ready_line(), START_WITHIN_S)
        return time.monotonic() - began

    def _ready_line(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.said
        return f"ready {self.url}" in self.said

    def stop(self) -> float:
        """Ctrl-C, and wait; the seconds it took."""
        assert self.process is not None
        began = time.monotonic()
        self.process.send_signal(signal.SIGINT)
        self.process.wait(STOP_WITHIN_S + 15)
        return time.monotonic() - began

    def cli(self, *arguments: str, stdin: bytes = b"") -> "subprocess.CompletedProcess[str]":
        """One `pulsebook` command against it."""
        done = subprocess.run(
            [sys.executable, "-m", "cli.main", *arguments],
            cwd=ROOT,
            input=stdin,
            capture_output=True,
            env={**self.environment, "PULSEBOOK_URL": self.url, "COLUMNS": "200"},
            timeout=120,
            check=False,
        )
        return subprocess.CompletedProcess(
            done.args, done.returncode, done.stdout.decode(), done.stderr.decode()
        )

    def cli_json(self, *arguments: str) -> list[Any]:
        """The JSON documents of a command."""
        done = self.cli(*arguments, "--json")
        assert done.returncode in (0, 1), done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    def child(self, name: str) -> psutil.Process:
        """The running process of this name (web, processor, ...)."""
        assert self.process is not None
        for each in psutil.Process(self.process.pid).children(recursive=True):
            with contextlib.suppress(psutil.Error):
                if each.cmdline()[1:4] == ["-m", "cli.main", name]:
                    return each
        raise AssertionError(f"no process {name}")

    def left_over(self) -> list[str]:
        """Command lines of processes that still use the data folder."""
        marks = str(self.folder)
        found = []
        for each in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                line = " ".join(each.cmdline())
                if marks in line or marks in each.environ().get("PULSEBOOK_DATA_DIR", ""):
                    found.append(line)
        return found


@contextlib.contextmanager
def machine(folder: Path, playbooks: Path = ROOT / "playbooks", **environment: str) -> Iterator[Machine]:
    """A started machine, stopped (by force if need be) at the end."""
    made = Machine(folder, playbooks, **environment)
    try:
        made.start()
        yield made
    finally:
        if made.process is not None and made.process.poll() is None:
            made.process.terminate()
            try:
                made.process.wait(30)
            except subprocess.TimeoutExpired:
                made.process.kill()


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
    for first in range(18080, 28000, 10):
        with contextlib.ExitStack() as held:
            try:
                for port in range(first, first + 5):
                    held.enter_context(socket.socket()).bind(("127.0.0.1", port))
            except OSError:
                continue
            return first
    raise AssertionError("no free ports")
