"""One process at a time keeps a read model's file: two would set each other's aside. Ends with the
process.
"""

import sys
from pathlib import Path
from typing import IO


class AlreadyKept(OSError):
    """Another process keeps this file; the text says what to do."""


def lock(path: Path) -> IO[bytes]:
    """Hold the file until what is returned is closed. Raises AlreadyKept. On Windows nothing is locked."""
    path.parent.mkdir(parents=True, exist_ok=True)
    held = path.with_name(path.name + ".lock").open("ab")
    if sys.platform != "win32":
        import fcntl

        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            held.close()
            raise AlreadyKept(
                f"another process keeps {path}; give this one a data folder of its own (PULSEBOOK_DATA_DIR)"
            ) from error
    return held
