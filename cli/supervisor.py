"""Runs the processes of `pulsebook up` as children and keeps them running.

Children live in sessions of their own, so Ctrl-C reaches the supervisor alone, which stops them in order. A
pipe that only the supervisor holds open tells a child when its owner is gone, even after kill -9
(`cli.owner`). What the processes do is not here.
"""

import asyncio
import contextlib
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cli.exit_codes import EXIT_CODES
from cli.owner import OWNER_FD_VARIABLE

RESTART_DELAY_FIRST_S = 0.5
RESTART_DELAY_MAX_S = 10.0
REFUSED_DELAY_FIRST_S = 5.0
REFUSED_DELAY_MAX_S = 300.0
"""Between starts of what refuses to work until somebody mends what it says."""
STEADY_AFTER_S = 30.0
"""A child that lived this long starts again without the delay of its earlier failures."""
LAST_LINES = 5
LOG_BYTES_MAX = 32 * 1024 * 1024
"""A larger log becomes NAME.log.1, in place of the one before."""
LOOK_AT_LOGS_EVERY_S = 30.0


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
    refused: bool = False
    """It ended the last time with a code that a new start alone does not mend."""
    spawning: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def alive(self) -> bool:
        """Whether it runs now."""
        return self.process is not None and self.process.returncode is None

    def last_lines(self) -> str:
        """The end of its log, to be shown beside the news that it died."""
        with contextlib.suppress(OSError):
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-LAST_LINES:])
        return ""

    def trim_log(self, bytes_max: int) -> None:
        """Set a log that has grown too large aside, and begin anew. The child goes on writing meanwhile."""
        with contextlib.suppress(OSError):
            if self.log.stat().st_size > bytes_max:
                shutil.copyfile(self.log, f"{self.log}.1")
                os.truncate(self.log, 0)  # it writes at the end, wherever that is

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal, SIGKILL to its whole session; nothing where it does not run."""
        if self.process is None or self.process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            if number is signal.SIGKILL:
                os.killpg(self.process.pid, number)
            else:
                self.process.send_signal(number)


class Supervisor:
    """Starts children, starts again what dies, stops all. `say` gets one line for a person at a time."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self.children: dict[str, Child] = {}
        self.stopping = False
        self._say = say
        self._owner_read, self._owner_write = os.pipe()
        self._trimming: asyncio.Task[None] | None = None

    async def start(self, child: Child) -> None:
        """Start a child and keep it running until `stop`. Raises OSError where it cannot be started."""
        self.children[child.name] = child
        await self._spawn(child)
        child.keeper = asyncio.create_task(self._keep(child), name=f"keep {child.name}")
        self._trimming = self._trimming or asyncio.create_task(self._trim_logs(), name="trim logs")

    async def _spawn(self, child: Child) -> None:
        # Who stops waits for a start that is under way: no process may come to be after it has looked.
        async with child.spawning:
            if self.stopping:
                return
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
        while child.process is not None:
            code = await child.process.wait()
            ended = described(code)
            while not self.stopping:
                await self._pause(child, ended, refuses=code in EXIT_CODES and EXIT_CODES[code].seldom)
                try:
                    await self._spawn(child)
                    break
                except OSError as error:
                    ended = f"cannot be started: {error.strerror}"
            if self.stopping:
                return

    async def _pause(self, child: Child, ended: str, refuses: bool) -> None:
        """Say that it died, and wait: the longer, the sooner it died again, and longest where it refuses."""
        if refuses != child.refused:
            child.delay_s = REFUSED_DELAY_FIRST_S if refuses else RESTART_DELAY_FIRST_S
        elif not refuses and time.monotonic() - child.started_at_s > STEADY_AFTER_S:
            child.delay_s = RESTART_DELAY_FIRST_S
        child.refused = refuses
        again = f"starting it again in {child.delay_s:g} s"
        if refuses:
            again = f"a new start alone will not help: mend what it says below; {again}"
        self._say(f"{child.name} ended ({ended}); {again}, log: {child.log}")
        if last := child.last_lines():
            self._say("    " + last.replace("\n", "\n    "))
        await asyncio.sleep(child.delay_s)
        child.delay_s = min(child.delay_s * 2, REFUSED_DELAY_MAX_S if refuses else RESTART_DELAY_MAX_S)
        child.restarts += 1

    async def _trim_logs(self) -> None:
        while True:
            await asyncio.sleep(LOOK_AT_LOGS_EVERY_S)
            for child in list(self.children.values()):
                await asyncio.to_thread(child.trim_log, LOG_BYTES_MAX)

    async def stop(self, names: Sequence[str], within_s: float) -> None:
        """SIGTERM to these children at once; SIGKILL to their sessions after `within_s` seconds.

        From the first call on nothing is started again.
        """
        self.stopping = True
        children = [child for name in names if (child := self.children.get(name))]
        for child in children:
            async with child.spawning:
                child.signal(signal.SIGTERM)
        waits = [asyncio.ensure_future(child.process.wait()) for child in children if child.process]
        if not waits:
            return
        await asyncio.wait(waits, timeout=within_s)
        for child in children:
            if child.alive:
                self._say(f"{child.name} did not stop in {within_s:g} s and was killed")
                child.signal(signal.SIGKILL)
        await asyncio.wait(waits)

    async def close(self) -> None:
        """After `stop`: let go of the keepers and of the owner's pipe, which ends whatever still runs."""
        tasks = [task for task in (self._trimming, *(each.keeper for each in self.children.values())) if task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for descriptor in (self._owner_write, self._owner_read):
            if descriptor >= 0:
                os.close(descriptor)
        self._owner_read = self._owner_write = -1


def described(code: int) -> str:
    """An exit code for a person.

    >>> described(-9), described(78)
    ('killed by SIGKILL', 'exit code 78: it refuses to work with what it found')
    """
    if code >= 0:
        known = EXIT_CODES.get(code)
        return f"exit code {code}: {known.means}" if known else f"exit code {code}"
    with contextlib.suppress(ValueError):
        return f"killed by {signal.Signals(-code).name}"
    return f"killed by signal {-code}"


def own_command(*arguments: str) -> list[str]:
    """The command line of another `pulsebook` process of this installation.

    -P: a file `settings.py` in the folder where somebody works must not be taken for ours.
    """
    return [sys.executable, "-P", "-m", "cli.main", *arguments]
