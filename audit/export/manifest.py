"""The manifest beside an exported file: what it holds, in counts and offsets, and its head.

It is worth most where the file does not lie: kept elsewhere, it tells what was altered even where all hashes
in the file were made anew.
"""

import hashlib
from pathlib import Path
from typing import Any

import msgspec

from audit.export.chain_checking import Finding
from audit.export.counts import Counts, Lost, PlaceCount
from audit.export.plan import Plan

SUFFIX = ".manifest.json"
READ_BYTES = 1024 * 1024


class NotAManifest(ValueError):
    """The file beside is no manifest."""


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """As it stands in its file, in JSON. `export`: the file's description of itself (`Plan.text`)."""

    file: str
    file_bytes: int
    file_sha256: str
    codec: str
    records: int
    first_sha256: str | None
    head: str
    export: dict[str, Any]
    topics: dict[str, dict[str, PlaceCount]]
    """Topic to partition (as text): records, first and last offset."""
    schemas: dict[str, str]
    """Fingerprint of the schema of a value to the name of its record."""
    lost: list[Lost]
    """Records that the export should have had and that Kafka no longer had when it came to them."""
    row_schema: str
    """Fingerprint of the schema of the rows."""
    made_at_ms: int
    pulsebook: str
    """The version that finished it."""
    began_at_ms: int | None = None
    """When the ends of the partitions were asked for; here, and not in the file: equal periods have equal
    hashes whenever they are exported."""

    def text(self) -> bytes:
        """For the file."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2) + b"\n"


def manifest_path(file: Path) -> Path:
    """Where the manifest of an exported file lies."""
    return file.with_name(file.name + SUFFIX)


def read_manifest(path: Path) -> Manifest:
    """Raises NotAManifest, OSError."""
    if path.exists() and not path.is_file():
        raise NotAManifest(f"{path} is no manifest: it is no file")
    try:
        return msgspec.json.decode(path.read_bytes(), type=Manifest)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise NotAManifest(f"{path} is no manifest: {error}") from None


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    hashed = hashlib.sha256()
    with path.open("rb") as stream:
        while data := stream.read(READ_BYTES):
            hashed.update(data)
    return hashed.hexdigest()


def differences(manifest: Manifest, plan: Plan, counts: Counts, head: str) -> list[Finding]:
    """Where what was read is not what the manifest says; its hashes of the file's bytes apart."""
    found = []
    if msgspec.json.decode(plan.text()) != manifest.export:
        found.append(Finding("manifest", "the manifest describes another export than the file does"))
    if manifest.records != counts.records:
        text = f"the file has {counts.records} records, and the manifest says {manifest.records}"
        found.append(Finding("manifest", text))
    found += _differing_places(manifest, counts)
    if manifest.head != head:
        text = f"the file's head is {head}, and the manifest says {manifest.head}"
        found.append(Finding("manifest", text))
    if not found and (manifest.first_sha256, manifest.schemas) != (counts.first_sha256, counts.schemas):
        text = "the manifest's first hash, or its list of schemas, is not that of the file"
        found.append(Finding("manifest", text))
    return found


def _differing_places(manifest: Manifest, counts: Counts) -> list[Finding]:
    """Up to the first partition with other hashes: behind it all hashes are others."""
    said = {
        (topic, int(number)): one for topic, held in manifest.topics.items() for number, one in held.items()
    }
    there = dict(counts.each())
    found = []
    for topic, partition in [*said, *(place for place in there if place not in said)]:
        wanted, one = said.get((topic, partition)), there.get((topic, partition))
        name = f"{topic}/{partition}"
        if _extent(wanted) != _extent(one):
            text = f"{name} has {_words(one)}, and the manifest says {_words(wanted)}"
            found.append(Finding("manifest", text, None, topic, partition))
        elif wanted != one:
            text = (
                f"the first record that was altered lies in {name}: the hashes from there on are not those "
                "of the manifest"
            )
            found.append(Finding("manifest", text, None, topic, partition))
            break
    return found


def _extent(count: PlaceCount | None) -> tuple[int, int | None, int | None]:
    return (0, None, None) if count is None else (count.records, count.first, count.last)


def _words(count: PlaceCount | None) -> str:
    if count is None:
        return "no records"
    return f"{count.records} records, offsets {count.first} to {count.last}"
