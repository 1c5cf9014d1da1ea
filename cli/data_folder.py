"""The data folder of `pulsebook up`: one owner at a time, and small files that only the owner may read."""

import fcntl
import os
from pathlib import Path

LOCK_FILE = "up.lock"


class DataFolderError(Exception):
    """The folder cannot be used; the message is a sentence with the way out."""


class DataFolder:
    """A folder that this process holds from `take` to `release`, or to its death.

    `left_in_disorder`: the last holder did not come to release it, so what it started may still be ending.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.left_in_disorder = False
        self._lock = -1

    def take(self) -> None:
        """Raises DataFolderError where it cannot be made, or another `up` holds it."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self._lock = os.open(self.path / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            reason = error.strerror or error
            raise DataFolderError(
                f"cannot use the data folder {self.path}: {reason}. Name another one with --data."
            ) from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._lock)
            raise DataFolderError(
                f"another `pulsebook up` is running with the data folder {self.path}. Stop it, or give this "
                "one another --data and --port."
            ) from None
        self.left_in_disorder = bool(os.pread(self._lock, 1, 0))
        os.pwrite(self._lock, str(os.getpid()).encode(), 0)

    def release(self) -> None:
        """Everything that was started has ended."""
        os.truncate(self._lock, 0)
        os.close(self._lock)


def is_data_folder(path: Path) -> bool:
    """Whether an `up` has, or had, its data there."""
    return (path / LOCK_FILE).exists()


def keep(file: Path, text: str) -> None:
    """Write a file that only its owner can read."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as out:
        os.fchmod(descriptor, 0o600)
        out.write(text + "\n")


def kept(file: Path) -> str:
    """What was kept there; empty where nothing was."""
    try:
        return file.read_text().strip()
    except OSError:
        return ""
