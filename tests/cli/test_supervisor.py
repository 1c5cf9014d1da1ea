"""The supervisor: starts again what dies, ever slower; stops in order; leaves nothing behind."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import psutil
import pytest

from cli import supervisor
from cli.owner import OWNER_FD_VARIABLE
from cli.supervisor import Child, Supervisor, described, own_command

SLEEPS = "import time; print('here', flush=True); time.sleep(60)"
IGNORES_SIGTERM = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SLEEPS}"
HAS_A_CHILD = (
    f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {SLEEPS!r}]); {IGNORES_SIGTERM}"
)
DIES = "print('my last word', flush=True); raise SystemExit(7)"
WITHIN_S = 10.0


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
async def boss(said: list[str]) -> AsyncIterator[Supervisor]:
    made = Supervisor(said.append)
    yield made
    await made.stop(tuple(made.children), 0.1)
    await made.close()


def child(folder: Path, name: str, program: str, **environment: str) -> Child:
    return Child(name, [sys.executable, "-c", program], environment, folder / f"{name}.log")


async def until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(WITHIN_S):
        while not holds():
            await asyncio.sleep(0.01)


async def test_what_dies_is_started_again_and_the_end_of_its_log_is_shown(
    boss: Supervisor, said: list[str], tmp_path: Path
) -> None:
    one = child(tmp_path, "one", DIES)
    await boss.start(one)
    await until(lambda: one.restarts)
    assert said[0] == f"one ended (exit code 7); starting it again in 0.5 s, log: {one.log}"
    assert said[1] == "    my last word"


async def test_what_dies_again_and_again_is_started_ever_slower(
    boss: Supervisor, said: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "RESTART_DELAY_MAX_S", 0.04)
    one = child(tmp_path, "one", DIES)
    one.delay_s = 0.01
    await boss.start(one)
    await until(lambda: one.restarts >= 4)
    waits = [line.partition("again in ")[2].split()[0] for line in said if line.startswith("one ended")]
    assert waits[:4] == ["0.01", "0.02", "0.04", "0.04"]


REFUSES = "print('ending: the topic was made again; use a new prefix', flush=True); raise SystemExit(78)"


async def test_what_refuses_to_start_is_tried_seldom_and_it_is_said_why_and_that_it_must_be_mended(
    boss: Supervisor, said: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "REFUSED_DELAY_FIRST_S", 0.2)
    monkeypatch.setattr(supervisor, "REFUSED_DELAY_MAX_S", 0.4)
    monkeypatch.setattr(supervisor, "STEADY_AFTER_S", 0.0)
    one = child(tmp_path, "one", REFUSES)
    await boss.start(one)
    await until(lambda: one.restarts >= 3)
    waits = [line.partition("again in ")[2].split()[0] for line in said if line.startswith("one ended")]
    assert waits[:3] == ["0.2", "0.4", "0.4"], "also where it takes long to refuse"
    assert said[0] == (
        "one ended (exit code 78: it refuses to work with what it found); a new start alone will not help: "
        f"mend what it says below; starting it again in 0.2 s, log: {one.log}"
    )
    assert said[1] == "    ending: the topic was made again; use a new prefix"


async def test_what_was_mended_is_started_again_as_soon_as_anything(
    boss: Supervisor, said: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "REFUSED_DELAY_FIRST_S", 0.05)
    mended = tmp_path / "mended"
    program = f"import os; raise SystemExit(70 if os.path.exists({str(mended)!r}) else 78)"
    one = child(tmp_path, "one", program)
    await boss.start(one)
    await until(lambda: said)
    mended.touch()
    await until(lambda: any("exit code 70" in line for line in said))
    assert "starting it again in 0.5 s" in next(line for line in said if "exit code 70" in line)


async def test_what_lived_long_is_started_again_soon(
    boss: Supervisor, said: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "STEADY_AFTER_S", 0.0)
    one = child(tmp_path, "one", DIES)
    one.delay_s = 9.0
    await boss.start(one)
    await until(lambda: said)
    assert "starting it again in 0.5 s" in said[0]


async def test_what_cannot_be_started_again_is_tried_and_told(
    boss: Supervisor, said: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A shell whose script goes while it starts ends with 2.
    monkeypatch.setattr(supervisor, "REFUSED_DELAY_FIRST_S", 0.01)
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\nexit 3\n")
    program.chmod(0o755)
    one = Child("one", [str(program)], {}, tmp_path / "one.log")
    one.delay_s = 0.01
    await boss.start(one)
    program.unlink()
    await until(lambda: any("cannot be started: No such file" in line for line in said))
    program.write_text("#!/bin/sh\nsleep 60\n")
    program.chmod(0o755)
    await until(lambda: one.alive)


async def test_what_stops_when_asked_is_not_killed(boss: Supervisor, said: list[str], tmp_path: Path) -> None:
    one = child(tmp_path, "one", SLEEPS)
    await boss.start(one)
    await until(one.last_lines)
    began = time.monotonic()
    await boss.stop(["one"], WITHIN_S)
    assert time.monotonic() - began < WITHIN_S / 2
    assert one.process is not None
    assert one.process.returncode == -signal.SIGTERM
    assert said == []


async def test_what_does_not_stop_is_killed_with_all_it_started(
    boss: Supervisor, said: list[str], tmp_path: Path
) -> None:
    stubborn = child(tmp_path, "one", HAS_A_CHILD)
    await boss.start(stubborn)
    await until(stubborn.last_lines)
    assert stubborn.process is not None
    (grandchild,) = psutil.Process(stubborn.process.pid).children()
    await boss.stop(["one"], 0.2)
    assert said == ["one did not stop in 0.2 s and was killed"]
    assert stubborn.process.returncode == -signal.SIGKILL
    await until(lambda: not grandchild.is_running() or grandchild.status() == psutil.STATUS_ZOMBIE)


async def test_children_are_stopped_in_the_order_that_is_asked_for(boss: Supervisor, tmp_path: Path) -> None:
    first, last = child(tmp_path, "first", SLEEPS), child(tmp_path, "last", SLEEPS)
    for each in (first, last):
        await boss.start(each)
    await boss.stop(["first"], WITHIN_S)
    assert (first.alive, last.alive) == (False, True)
    await boss.stop(["last", "never-started"], WITHIN_S)
    assert not last.alive


async def test_nothing_is_started_again_once_it_stops(
    boss: Supervisor, said: list[str], tmp_path: Path
) -> None:
    one = child(tmp_path, "one", DIES)
    one.delay_s = 0.1
    await boss.start(one)
    await until(lambda: said)
    await boss.stop(["one"], WITHIN_S)
    await asyncio.sleep(0.3)
    assert not one.alive
    assert one.restarts <= 1


async def test_a_stop_waits_for_a_start_that_is_under_way(boss: Supervisor, tmp_path: Path) -> None:
    one = child(tmp_path, "one", SLEEPS)
    starting = asyncio.create_task(boss.start(one))
    await asyncio.sleep(0)
    await boss.stop(["one"], WITHIN_S)
    await starting
    assert not one.alive


async def test_a_child_has_a_session_of_its_own_so_that_ctrl_c_does_not_reach_it(
    boss: Supervisor, tmp_path: Path
) -> None:
    one = child(tmp_path, "one", SLEEPS)
    await boss.start(one)
    assert one.process is not None
    assert os.getsid(one.process.pid) == one.process.pid != os.getsid(0)


async def test_a_child_learns_that_its_owner_is_gone(boss: Supervisor, tmp_path: Path) -> None:
    program = (
        "import os, signal, time\n"
        "from cli.owner import end_with_owner\n"
        "end_with_owner()\n"
        f"print('left', os.environ.get('{OWNER_FD_VARIABLE}'), flush=True)\n"
        "time.sleep(60)"
    )
    one = child(tmp_path, "one", program, PYTHONPATH=os.pathsep.join(filter(None, sys.path)))
    await boss.start(one)
    await until(one.last_lines)
    assert one.last_lines() == "left None"
    assert one.process is not None
    boss.stopping = True  # or it would be started again
    await boss.close()
    assert await asyncio.wait_for(one.process.wait(), WITHIN_S) == -signal.SIGTERM


async def test_a_log_that_grew_too_large_is_set_aside_while_its_child_goes_on_writing(
    boss: Supervisor, tmp_path: Path
) -> None:
    one = child(tmp_path, "one", "import time\nwhile True: print('x' * 99, flush=True); time.sleep(0.01)")
    await boss.start(one)
    await until(lambda: one.log.stat().st_size > 1_000)
    one.trim_log(1_000_000)
    assert not (tmp_path / "one.log.1").exists()
    one.trim_log(1_000)
    assert (tmp_path / "one.log.1").stat().st_size > 1_000
    await until(one.last_lines)
    assert one.log.read_bytes().startswith(b"xxx")


def test_an_exit_code_is_told_as_people_know_it() -> None:
    assert [described(code) for code in (0, 70, 7, -9, -15, -200)] == [
        "exit code 0: done; a process stopped because it was asked to",
        "exit code 70: something broke; a new start is the remedy",
        "exit code 7",
        "killed by SIGKILL",
        "killed by SIGTERM",
        "killed by signal 200",
    ]


def test_a_process_of_ours_takes_nothing_from_the_folder_where_somebody_works(tmp_path: Path) -> None:
    (tmp_path / "settings.py").write_text("raise SystemExit('not ours')")
    (tmp_path / "cli").mkdir()
    done = subprocess.run(
        [*own_command("--help")], cwd=tmp_path, capture_output=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
