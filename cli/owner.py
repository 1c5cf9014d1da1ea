"""A child of `pulsebook up` ends when its owner is gone: it watches a pipe that only the owner holds open."""

import os
import signal
import threading

from cli.supervisor import OWNER_FD_VARIABLE


def end_with_owner() -> None:
    """Start watching, where the environment names the pipe; SIGTERM to this process when the owner is gone."""
    text = os.environ.pop(OWNER_FD_VARIABLE, "")
    if not text:
        return
    descriptor = int(text)

    def watch() -> None:
        while os.read(descriptor, 1):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="owner", daemon=True).start()
