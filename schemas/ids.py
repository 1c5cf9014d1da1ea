"""Ids that derive from what they identify: pure hashes, so that a repeat of the same thing gets the same id.

Random ids (for a call that has no identity of its own) are made where the call comes in, not here.
"""

import base64
import hashlib

_ID_BYTES = 15
"""120 bits: 24 letters of base32 without padding; a clash among 10^15 ids is one in a million."""


def alert_id_for_body(endpoint: str, body: bytes) -> str:
    """Id of an alert whose body carries an event id: a redelivery repeats its bytes. `a-` and 24 letters."""
    return "a-" + _short("alert-body", endpoint.encode("utf-8", "surrogatepass"), body)


def alert_id_for_record(topic: str, partition: int, offset: int) -> str:
    """Id of an alert of a Kafka producer: where it stands (topic without prefix). `a-` and 24 letters."""
    return "a-" + _short("alert-record", topic.encode(), f"{partition}/{offset}".encode())


def run_id(playbook: str, request_id: str) -> str:
    """Id of the run of a playbook for a request (an alert id, or a call's own id). `r-` and 24 letters."""
    return "r-" + _short("run", playbook.encode(), request_id.encode("utf-8", "surrogatepass"))


def digest(text: str) -> str:
    """SHA-256 of a text, 64 hex digits. Total: a lone surrogate is hashed as it stands."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _short(kind: str, name: bytes, rest: bytes) -> str:
    """Hash of the parts. The length of the name keeps ("ab", "c") apart from ("a", "bc")."""
    hashed = hashlib.sha256(b"%s\0%d\0%s%s" % (kind.encode(), len(name), name, rest)).digest()
    return base64.b32encode(hashed[:_ID_BYTES]).decode().lower()
