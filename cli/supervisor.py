"""Runs the processes of `pulsebook up` as children and keeps them running.

Children live in sessions of their own, so Ctrl-C reaches the supervisor alone, which stops them in order. A pipe
that only the supervisor holds open tells a child when its owner is gone, even after kill -9 (`cli.owner`).
What the processes do is not here.
"""

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

OWNER_FD_VARIABLE = "PULSEBOOK_OWNER_FD"
RESTART_DELAY_FIRST_S = 0.5
RESTART_DELAY_MAX_S = 10.0
STEADY_AFTER_S = 30.0
"""A child that lived this long starts again without the delay of its earlier failures."""


@dataclass(slots=True)
class Child:
    """One process: how it is started, and what became of it."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    process: asyncio.subprocess.Process | None = None
    started_at_s: float = 0.0
    delay_s: float = RESTART_DELAY_FIRST_S
    keeper: asyncio.Task[None] | None = None
    restarts: int = 0

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.returncode is None

    def last_lines(self, count: int = 5) -> str:
        """The end of its log, to be shown beside the news that it died."""
        with contextlib.suppress(OSError):
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-count:])
        return ""


@dataclass(slots=True)
class Supervisor:
    """Starts children, starts again what dies, stops all. `say` gets one line for a person at a time."""

    say: Callable[[str], None]
    children: dict[str, Child] = field(default_factory=dict)
    stopping: bool = False
    _owner_read: int = -1
    _owner_write: int = -1

    def __post_init__(self) -> None:
        self._owner_read, self._owner_write = os.pipe()

    async def start(self, child: Child) -> None:
        """Start a child and keep it running until `stop`."""
        self.children[child.name] = child
        await self._spawn(child)
        child.keeper = asyncio.create_task(self._keep(child), name=f"keep {child.name}")

    async def _spawn(self, child: Child) -> None:
        child.log.parent.mkdir(parents=True, exist_ok=True)
        environment = {**os.environ, **child.environment, OWNER_FD_VARIABLE: str(self._owner_read)}
        with child.log.open("ab") as log:
            child.process = await asyncio.create_subprocess_exec(
                *child.command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment,
                pass_fds=(self._owner_read,),
                start_new_session=True,
            )
        child.started_at_s = time.monotonic()

    async def _keep(self, child: Child) -> None:
        while True:
            assert child.process is not None
            code = await child.process.wait()
            if self.stopping:
                return
            if time.monotonic() - child.started_at_s > STEADY_AFTER_S:
                child.delay_s = RESTART_DELAY_FIRST_S
            self.say(
                f"{child.name} ended ({described(code)}); starting it again in {child.delay_s:g} s, log: {child.log}"
            )
            if tail := child.last_lines():
                self.say("    " + tail.replace("\n", "\n    "))
            await asyncio.sleep(child.delay_s)
            child.delay_s = min(child.delay_s * 2, RESTART_DELAY_MAX_S)
            child.restarts += 1
            if not self.stopping:
                await self._spawn(child)

    async def stop(self, names: Sequence[str], within_s: float) -> None:
        """SIGTERM to these children at once; SIGKILL to their sessions after `within_s` seconds."""
        self.stopping = True
        alive = [child for name in names if (child := self.children.get(name)) and child.alive]
        for child in alive:
            _signal(child, signal.SIGTERM)
        waits = [asyncio.ensure_future(child.process.wait()) for child in alive if child.process]
        if waits:
            await asyncio.wait(waits, timeout=within_s)
        for child in alive:
            if child.alive:
                self.say(f"{child.name} did not stop in {within_s:g} s and was killed")
                _signal(child, signal.SIGKILL)
        if waits:
            await asyncio.wait(waits)

    def close(self) -> None:
        """Let go of the owner's pipe: whatever is still running ends itself."""
        for descriptor in (self._owner_write, self._owner_read):
            if descriptor >= 0:
                os.close(descriptor)
        self._owner_read = self._owner_write = -1


def _signal(child: Child, number: signal.Signals) -> None:
    assert child.process is not None
    with contextlib.suppress(ProcessLookupError):
        if number is signal.SIGKILL and hasattr(os, "killpg"):
            os.killpg(child.process.pid, number)
        else:
            child.process.send_signal(number)


def described(code: int) -> str:
    """An exit code for a person.

    >>> described(-9), described(70)
    ('killed by SIGKILL', 'exit code 70')
    """
    if code >= 0:
        return f"exit code {code}"
    with contextlib.suppress(ValueError):
        return f"killed by {signal.Signals(-code).name}"
    return f"killed by signal {-code}"


def own_command(*arguments: str) -> list[str]:
    """The command line of another `pulsebook` process of this installation."""
    return [sys.executable, "-m", "cli.main", *arguments]
