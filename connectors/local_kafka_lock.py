"""Who may use a data folder: one broker at a time, told apart by a lock that no crash can leave behind."""

import fcntl
import os
import threading
import time
from pathlib import Path

from connectors.local_kafka_errors import DataFolderInUse, StartCancelled

LOCK_WAIT_S = 15
"""A broker whose owner was killed needs up to 10 s to end; a restart waits for it."""
POLL_S = 0.02


def take(data_dir: Path, cancelled: threading.Event) -> int:
    """The lock of a data folder, as a descriptor to hand on. It ends with the last process that holds it, so
    it is never stale.

    Waits for a broker that is on its way out because its owner died. Raises DataFolderInUse, StartCancelled.
    """
    lock = os.open(data_dir / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    deadline_s = time.monotonic() + LOCK_WAIT_S
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.pread(lock, 32, 0).decode() or "0"
            if _is_alive_elsewhere(int(owner)) or time.monotonic() > deadline_s:
                os.close(lock)
                raise DataFolderInUse(str(data_dir), f"process {owner}") from None
            if cancelled.wait(POLL_S):
                os.close(lock)
                raise StartCancelled from None
        else:
            os.truncate(lock, 0)
            os.pwrite(lock, str(os.getpid()).encode(), 0)
            return lock


def _is_alive_elsewhere(pid: int) -> bool:
    if pid in (0, os.getpid()):
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
