"""The canonical form of a playbook and its digest, which names the revision.

Comments and layout are not in it.
"""

import hashlib

import msgspec

from engine.playbook.model import Playbook


def canonical_json(playbook: Playbook) -> str:
    """All fields, defaults included, keys sorted, no blanks."""
    return msgspec.json.encode(playbook, order="sorted").decode()


def digest(playbook: Playbook) -> str:
    """SHA-256 of the canonical form, 64 hexadecimal digits."""
    return hashlib.sha256(canonical_json(playbook).encode()).hexdigest()


def from_canonical(text: str) -> Playbook:
    """The inverse of `canonical_json`. Raises msgspec.DecodeError on anything else."""
    return msgspec.json.decode(text, type=Playbook)
