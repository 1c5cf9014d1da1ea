"""Which hosts a request may go to: patterns such as `api.example.com`, `*.example.com`, `localhost:8443`.

A pattern without a port fits every port. `*.` fits any number of labels, and not the bare domain. Names are
compared as written in the URL: what they resolve to is not looked at.
"""

from collections.abc import Collection


def fits(host: str, port: int, patterns: Collection[str]) -> bool:
    """Whether a host (as in a URL, without brackets) and port fit one of the patterns."""
    return any(_fits(host.lower().rstrip("."), port, pattern.lower()) for pattern in patterns)


def _fits(host: str, port: int, pattern: str) -> bool:
    name, _, wanted_port = pattern.rpartition(":")
    if not name or not wanted_port.isdecimal() or (":" in name and not name.endswith("]")):
        name, wanted_port = pattern, ""  # No port, or a bare IPv6 address.
    if wanted_port and int(wanted_port) != port:
        return False
    name = name.removeprefix("[").removesuffix("]")
    return host.endswith(name[1:]) if name.startswith("*.") else host == name
