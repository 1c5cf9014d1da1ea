"""A row of an exported file: one message of a topic as it lay there, and its links of the hash chain.

No topic has these. Which bytes are hashed is said in docs/audit.md, and done in `audit.export.chain`.
"""

from typing import Annotated

from schemas.fields import Record, doc


class ExportedHeader(Record, frozen=True, kw_only=True):
    """A header of the message. The same name may stand there several times."""

    name: Annotated[str, doc("Its name.")]
    value: Annotated[bytes | None, doc("Its value as it came; null where it has none.")] = None


class ExportedRecord(Record, frozen=True, kw_only=True):
    """One message of a topic, as `pulsebook audit export` wrote it."""

    number: Annotated[int, doc("1, 2, 3, ... within the file.")]
    topic: Annotated[str, doc("Topic, without the prefix.")]
    partition: Annotated[int, doc("Partition.")]
    offset: Annotated[int, doc("Offset.")]
    at_ms: Annotated[int, doc("Broker timestamp of the message, epoch milliseconds.")]
    type: Annotated[str, doc("Name of the record, such as JournalRecord; empty where it is none of ours.")]
    record: Annotated[
        str | None,
        doc(
            "For reading: the value as JSON text, by the schema that wrote it; a producer's JSON as it came; "
            "null for anything else."
        ),
    ]
    key: Annotated[bytes | None, doc("Key as it came.")]
    value: Annotated[bytes | None, doc("Value as it came.")]
    headers: Annotated[tuple[ExportedHeader, ...], doc("Headers as they came, in their order.")] = ()
    previous_sha256: Annotated[
        str,
        doc("sha256 of the row before; of the first row: SHA-256 of the file's metadata pulsebook.export."),
    ]
    sha256: Annotated[str, doc("SHA-256 (64 hex digits) of this row's Avro binary before this field.")]
