"""A child of `pulsebook up` ends when its owner is gone: it watches a pipe that only the owner holds open."""

import os
import signal
import threading
import time

OWNER_FD_VARIABLE = "PULSEBOOK_OWNER_FD"
END_WITHIN_S = 8.0
"""How long it may take to stop in order once its owner is gone."""


_owned = threading.Event()


def is_owned() -> bool:
    """Whether this process is one of `pulsebook up`: then all processes are on this machine."""
    return _owned.is_set()


def end_with_owner() -> None:
    """Start watching, where the environment names a pipe. The owner gone: SIGTERM to itself, then SIGKILL."""
    text = os.environ.pop(OWNER_FD_VARIABLE, "")
    if not text:
        return
    _owned.set()
    descriptor = int(text)

    def watch() -> None:
        while os.read(descriptor, 1):
            pass
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(END_WITHIN_S)
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=watch, name="owner", daemon=True).start()
