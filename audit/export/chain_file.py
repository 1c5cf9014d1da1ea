"""Verifies an exported file without Kafka: the chain of its records, its head, and the manifest beside it.

The chain within the file shows what was done to it by somebody who did not make all hashes anew; the head
that was kept elsewhere, or the manifest, shows the rest.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from audit.export.chain import beginning
from audit.export.chain_checking import ChainChecking, Finding, place_of
from audit.export.counts import Counts
from audit.export.exported_file import BrokenBlock, ExportFile, NotAnExport, Row
from audit.export.manifest import (
    Manifest,
    NotAManifest,
    differences,
    file_sha256,
    manifest_path,
    read_manifest,
)
from audit.export.plan import Plan
from audit.log import Place
from schemas.avro_container import Block
from schemas.codec import HEADER_BYTES, MARKER

Told = Callable[[int], None]
"""Is told up to which byte the file was read."""
Seen = Callable[[Block, list[Row]], None]


class Verdict(msgspec.Struct, kw_only=True):
    """What became of verifying a file. `findings`: what is wrong, the first cause first; none: it is as it
    was exported. `notes`: what could not be checked. `head`: None where the chain is broken.
    """

    file: str
    records: int = 0
    head: str | None = None
    topics: dict[str, int] = {}
    export: dict[str, Any] | None = None
    manifest: bool = False
    findings: list[Finding] = []
    notes: list[str] = []


def verify(
    path: Path, head: str | None = None, told: Told = lambda _: None, seen: Seen = lambda *_: None
) -> Verdict:
    """Read the whole file and say what is wrong with it. `head`: the last hash as it was kept elsewhere.

    `seen` is handed every block that can be read. Raises OSError.
    """
    verdict = Verdict(file=str(path))
    manifest = _manifest_beside(path, verdict)
    try:
        with ExportFile(path) as file:
            verdict.export = msgspec.json.decode(file.description)
            checking, counts = ChainChecking(beginning(file.description)), Counts()
            broken = _walk(file, checking, counts, told, seen)
            verdict.records, verdict.head = checking.count, checking.head
            verdict.topics = counts.by_topic()
            found = _chain_findings(checking, broken, file.plan, manifest)
    except NotAnExport as error:
        verdict.findings.insert(0, Finding("not an export", str(error)))
        return verdict
    if found:
        # The last hash may still be the right one where a record before it was altered: no head, lest anybody
        # compares that and is content.
        verdict.head = None
    else:
        found = _outside_findings(path, file.plan, counts, checking.head, manifest, head)
    verdict.findings = found + verdict.findings
    if head is None and manifest is None and not verdict.findings:
        verdict.notes.append(
            "only the chain within the file was checked: whoever alters a record can make all hashes anew. "
            "Compare the head with the one that was kept elsewhere: --head"
        )
    return verdict


def _walk(
    file: ExportFile, checking: ChainChecking, counts: Counts, told: Told, seen: Seen
) -> BrokenBlock | None:
    try:
        for block, rows in file.blocks():
            _take(rows, checking, counts)
            seen(block, rows)
            told(block.end)
    except BrokenBlock as broken:
        _take(broken.found, checking, counts)
        return broken
    return None


def _take(rows: list[Row], checking: ChainChecking, counts: Counts) -> None:
    for link, record in rows:
        checking.take(link)
        counts.add(link.place, link.offset, link.own)
        value = record.value
        if record.type and value is not None and value.startswith(MARKER):
            counts.schemas.setdefault(value[len(MARKER) : HEADER_BYTES][::-1].hex(), record.type)


def _chain_findings(
    checking: ChainChecking, broken: BrokenBlock | None, plan: Plan, manifest: Manifest | None
) -> list[Finding]:
    found = []
    if (first := checking.finding()) is not None:
        found.append(first)
    last = checking.last
    behind = f"behind record {last.number} ({place_of(last)})" if last else "from the first record on"
    if broken is not None:
        lost = "" if manifest is None else f"; the manifest says that there are {manifest.records} records"
        text = f"the file cannot be read {behind}: {broken}, at byte {broken.position}{lost}"
        number = last.number + 1 if last else 1
        found.append(Finding("unreadable", text, number))
    elif not found and manifest is None and (missing := _missing_at_end(checking, plan)):
        found.append(Finding("removed", f"records were removed {behind}: {missing} is not there", None))
    return found


def _missing_at_end(checking: ChainChecking, plan: Plan) -> str:
    """What should stand behind the last record of an export of everything; "" where nothing is missing."""
    places: list[Place] = list(plan.places())
    last = checking.last
    if plan.selection or not places:
        return ""
    if last is None:
        topic, partition = places[0]
        return f"{topic}/{partition}/{plan.bounds[places[0]][0]}"
    if last.place not in places:
        return ""
    if last.offset + 1 < plan.bounds[last.place][1]:
        return f"{last.place[0]}/{last.place[1]}/{last.offset + 1}"
    for topic, partition in places[places.index(last.place) + 1 :]:
        return f"{topic}/{partition}/{plan.bounds[topic, partition][0]}"
    return ""


def _outside_findings(
    path: Path, plan: Plan, counts: Counts, own_head: str, manifest: Manifest | None, head: str | None
) -> list[Finding]:
    """What head and manifest have against a file whose chain is whole."""
    found = []
    if head is not None and head.strip().lower() != own_head:
        text = (
            f"the file's head is {own_head}, not {head}: it is another export, or something in it was "
            "altered, removed or added and all hashes made anew"
        )
        found.append(Finding("head", text))
    if manifest is not None:
        found += differences(manifest, plan, counts, own_head)
        if not found and file_sha256(path) != manifest.file_sha256:
            text = "every record is as the manifest says, but the file's bytes are not: it was packed anew"
            found.append(Finding("manifest", text))
    return found


def _manifest_beside(path: Path, verdict: Verdict) -> Manifest | None:
    beside = manifest_path(path)
    try:
        manifest = read_manifest(beside)
    except FileNotFoundError:
        verdict.notes.append(f"there is no manifest beside it ({beside.name})")
        return None
    except NotAManifest as error:
        verdict.findings.append(Finding("manifest", str(error)))
        return None
    verdict.manifest = True
    return manifest
