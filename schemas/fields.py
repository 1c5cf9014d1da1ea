"""How a field of a record is described: its documentation, and the marker for "any JSON value".

The Avro form of every record is derived from these annotations; nothing here knows about Avro itself.
"""

from typing import Annotated, Any

import msgspec


def doc(text: str) -> msgspec.Meta:
    """The documentation of a field, kept in the Avro schema. Use as ``Annotated[str, doc("...")]``."""
    return msgspec.Meta(description=text)


Json = Annotated[Any, msgspec.Meta(extra={"avro": "json"})]
"""Any JSON value. A plain Python value in memory, JSON text with sorted keys in Avro."""


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """Base of everything that is written to a topic. Frozen; equality is by value."""
