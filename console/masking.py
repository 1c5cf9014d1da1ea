"""Tokens in hook URLs never reach a log: every path that is logged or answered goes through here."""

import re

_SLASHES = re.compile("/{2,}")
_AFTER_ENDPOINT = re.compile("(/hooks/[^/]*)/.+", re.IGNORECASE | re.DOTALL)
MASK = "***"


def masked_path(path: str) -> str:
    """The path without what follows the endpoint of a hook, and without control characters."""
    shown = _AFTER_ENDPOINT.sub(rf"\g<1>/{MASK}", _SLASHES.sub("/", path))
    return "".join(char if char.isprintable() else "?" for char in shown)
