"""Secrets of this machine: from the environment, and from files in a folder.

- `PULSEBOOK_SECRET_NAME` is the secret NAME; `PULSEBOOK_HOSTS_OF_SECRET_NAME` (with commas) binds it.
- A file NAME in the folder is the secret NAME (the Docker and Kubernetes convention; one line end at its end
  is not part of it); a file NAME.hosts beside it, one host a line, binds it to hosts.
The environment goes first. Files are read at every use, so a rotated secret needs no restart. Who fills
secrets into steps is `executor`.
"""

import os
import re
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from schemas.secrets import Secret

_VALUE_PREFIX = "PULSEBOOK_SECRET_"
_HOSTS_PREFIX = "PULSEBOOK_HOSTS_OF_SECRET_"
_HOSTS_SUFFIX = ".hosts"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
VALUE_BYTES_MAX = 64 * 1024
"""Largest secret: a file beyond it is no secret but a mistake."""


class SecretStore:
    """The secrets of one folder and one environment."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        """The folder need not exist before something is stored in it."""
        self._folder, self._environment = folder, environment

    def get(self, name: str) -> Secret | None:
        """The secret of that name, or None where there is none or its file cannot be read."""
        if not _NAME.fullmatch(name):
            return None
        value = self._environment.get(_VALUE_PREFIX + name)
        if value is not None:
            return Secret(name, value, _split(self._environment.get(_HOSTS_PREFIX + name, "")))
        try:
            # One whose binding cannot be read is not used at all, rather than sent anywhere.
            data, hosts = (self._folder / name).read_bytes(), self._file_hosts(name)
        except (OSError, UnicodeDecodeError):
            return None
        if len(data) > VALUE_BYTES_MAX:
            return None
        text = data.decode("utf-8", "surrogateescape")
        return Secret(name, text.removesuffix("\n").removesuffix("\r"), hosts)

    def listed(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Name and hosts of every secret, by name; never a value."""
        names = {
            name.removeprefix(_VALUE_PREFIX) for name in self._environment if name.startswith(_VALUE_PREFIX)
        }
        if self._folder.is_dir():
            names |= {path.name for path in self._folder.iterdir() if path.is_file()}
        found = (self.get(name) for name in sorted(names))
        return tuple((secret.name, secret.hosts) for secret in found if secret is not None)

    def set(self, name: str, value: str, hosts: Iterable[str] = ()) -> Path:
        """Store a secret in the folder, readable by its owner alone; the file's path.

        Raises ValueError for a name, a value or a host that cannot be one.
        """
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} cannot be the name of a secret: letters, digits and _, at most 128")
        if not value or len(value.encode("utf-8", "surrogateescape")) > VALUE_BYTES_MAX:
            raise ValueError(f"the value of a secret has 1 to {VALUE_BYTES_MAX} bytes")
        bound = tuple(hosts)
        if wrong := [host for host in bound if not re.fullmatch(r"(\*\.)?[^\s,/@*]+", host)]:
            raise ValueError(f"{wrong[0]!r} is no host: write api.example.com, *.example.com or host:8443")
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # The binding first: at no moment is the new value there without its hosts.
        hosts_path = self._folder / (name + _HOSTS_SUFFIX)
        if bound:
            _write(hosts_path, "".join(f"{host}\n" for host in bound))
        path = self._folder / name
        _write(path, value)
        if not bound:
            hosts_path.unlink(missing_ok=True)
        return path

    def delete(self, name: str) -> bool:
        """Remove a stored secret; False if there is none in the folder."""
        path = self._folder / name
        if not _NAME.fullmatch(name) or not path.is_file():
            return False
        path.unlink()
        (self._folder / (name + _HOSTS_SUFFIX)).unlink(missing_ok=True)
        return True

    def _file_hosts(self, name: str) -> tuple[str, ...]:
        try:
            return _split((self._folder / (name + _HOSTS_SUFFIX)).read_text())
        except FileNotFoundError:
            return ()


def _split(hosts: str) -> tuple[str, ...]:
    return tuple(host for host in re.split(r"[\s,]+", hosts) if host)


def _write(path: Path, text: str) -> None:
    """Write a file that only its owner can read, whole or not at all."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(text.encode("utf-8", "surrogateescape"))
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
