"""The process between the owner and Java: runs the broker for exactly as long as its owner lives.

Started by `local_kafka.py` as a script, in a session of its own, with a pipe from the owner as standard
input. Nobody ever writes to the pipe; its end of file is the owner's death, even by kill -9.
Standard library only.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable

STOP_S = 8
"""How long Java may take after SIGTERM before it is killed; the whole stop must end within 10 s."""

PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> int:
    """`arguments`: the inherited descriptor of the data folder's lock, a file for Java's id, Java's
    command.
    """
    lock, pid_file, *command = arguments
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: stopping.set())
    # Java inherits the lock: the data folder stays taken until Java itself is gone, whoever else dies first.
    java = subprocess.Popen(  # noqa: S603 - the command comes from the owner, in this code base
        command, stdin=subprocess.DEVNULL, pass_fds=(int(lock),), preexec_fn=_die_with_parent()
    )
    for target in (_await_owner, _stop):
        threading.Thread(target=target, args=(stopping, java), daemon=True).start()
    with contextlib.suppress(OSError), open(pid_file, "w") as file:
        file.write(str(java.pid))
    return java.wait()


def _await_owner(stopping: threading.Event, _: "subprocess.Popen[bytes]") -> None:
    while os.read(sys.stdin.fileno(), 1):
        pass
    stopping.set()


def _stop(stopping: threading.Event, java: "subprocess.Popen[bytes]") -> None:
    stopping.wait()
    java.terminate()
    try:
        java.wait(STOP_S)
    except subprocess.TimeoutExpired:
        java.kill()


def _die_with_parent() -> Callable[[], object] | None:
    """On Linux the kernel stops Java even if this guard is killed; elsewhere the pipe has to do."""
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None)
    return lambda: libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
