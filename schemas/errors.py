"""What can be wrong with a message, as errors.

    SchemasError
    ├── MalformedMessage    the bytes, or the value to be written, are no record of ours: dead-letter it
    │   └── UnknownSchema   a well-formed message of a schema that this version does not know
    ├── SchemaUnavailable   nobody can be asked for the schema now: nothing is wrong with the message, hold it
    └── DamagedFile         a container file that cannot be read, or not from some place on

Nothing else leaves `schemas`: foreign exceptions (fastavro, msgspec) are mapped where they arise.
"""


class SchemasError(Exception):
    """Base of all errors of `schemas`. Its text is for a person and holds no values of the message."""


class MalformedMessage(SchemasError):
    """The bytes are not a record, or the value cannot be written as one. It will never be: dead-letter it."""


class UnknownSchema(MalformedMessage):
    """The message names a schema that this version does not know: a newer one wrote it, or a stranger.

    `fingerprint`: the CRC-64-AVRO fingerprint it names, as 16 hex digits, or a registry's id as text.
    """

    def __init__(self, message: str, fingerprint: str) -> None:
        super().__init__(message)
        self.fingerprint = fingerprint


class SchemaUnavailable(SchemasError):
    """Who knows the schema cannot be asked at present. The message may be fine: ask again, lose nothing."""


class DamagedFile(SchemasError):
    """A container file that cannot be read from a place on: cut off, damaged, or no such file at all.

    `position`: the byte where the block, or the header, begins that cannot be read. `salvaged`: what could
    still be had of the block's rows.
    """

    def __init__(self, message: str, position: int, salvaged: bytes = b"") -> None:
        super().__init__(message)
        self.position = position
        self.salvaged = salvaged
