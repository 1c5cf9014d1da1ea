"""From the text of a playbook file to records in the catalog: check, compare, write."""

import asyncio
import difflib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from console.parts import Parts
from console.problems import Problem
from console.writing import change_catalog
from engine.catalog import Catalog
from engine.children import called
from engine.playbook.calls import Caller, caller_of, check_calls
from engine.playbook.canonical import canonical_json, digest
from engine.playbook.model import Playbook
from engine.playbook.problems import Problem as Finding
from engine.playbook.reading import Read, read
from engine.playbook.reading_steps import Limits
from engine.yaml_values import START
from schemas.catalog import CatalogChange, PlaybookSet, RevisionAdded


class Applied(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a file. `outcome`: applied, or unchanged where that revision was active already."""

    outcome: Literal["applied", "unchanged"]
    name: str
    digest: str
    problems: list[dict[str, Any]]
    """Warnings."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A playbook without errors, and the warnings about it."""

    playbook: Playbook
    digest: str
    problems: Sequence[Finding]


async def checked(parts: Parts, source: str, file: str) -> Checked:
    """Read and check. Raises Problem 422 with all findings where there is an error."""
    endpoints = [name for name, held in parts.catalog.catalog.endpoints.items() if not held.deleted]
    bounds = parts.settings
    limits = Limits(
        bounds.playbook_bytes_max, bounds.playbook_steps_max, bounds.nesting_max, bounds.loop_items_max
    )
    secrets = parts.secret_names() if parts.secret_names is not None else None
    # Beside the loop: a playbook of hundreds of steps takes half a second, and webhooks must not wait for it.
    found = await asyncio.to_thread(
        read, source, file, parts.actions, endpoints, secrets, limits, _answerers(parts)
    )
    if found.playbook is None or any(each.severity == "error" for each in found.problems):
        errors = [str(each) for each in found.problems if each.severity == "error"]
        raise Problem(422, "\n".join(errors) or "no playbook", problems=problem_views(found.problems))
    between = _calls(parts.catalog.catalog, found, file)
    if circles := [each for each in between if each.severity == "error"]:
        raise Problem(422, "\n".join(map(str, circles)), problems=problem_views(between))
    return Checked(found.playbook, digest(found.playbook), (*found.problems, *between))


def _answerers(parts: Parts) -> list[str] | None:
    """Names of tokens, which `by` may name. None where there are no tokens: everybody may answer there."""
    if not parts.settings.auth:
        return None
    return [name for name, held in parts.catalog.catalog.tokens.items() if not held.deleted]


def _calls(catalog: Catalog, found: Read, file: str) -> list[Finding]:
    """What is wrong with the playbooks that this one runs. Only a circle is an error: what is not active yet,
    or cannot be called yet, may be applied next.
    """
    mine = caller_of(found.value, file, found.playbook)
    if mine is None:
        return []
    others = [
        Caller(
            f"the active playbook {name}",
            name,
            START,
            book.playbook.call is not None,
            dict.fromkeys(called(book), START),
            inputs=book.playbook.inputs,
        )
        for name, held in sorted(catalog.playbooks.items())
        if name != mine.name and held.digest and (book := catalog.compiled(held.digest)) is not None
    ]
    problems = check_calls([mine, *others], whole=True, place="active", settled=False)
    return [each for each in problems if each.file == file]


async def apply(parts: Parts, found: Checked, source: str, actor: str, reason: str) -> Applied:
    """Make it the active revision; done once this process's own catalog knows it. Raises NotDurable.

    Whether the playbook is enabled stays as it was. A revision is written once; its text is that of the first
    time.
    """
    catalog = parts.catalog.catalog
    name = found.playbook.name
    held = catalog.playbooks.get(name)
    warnings = problem_views(found.problems)
    if held and held.digest == found.digest:
        return Applied(outcome="unchanged", name=name, digest=found.digest, problems=warnings)
    by: dict[str, Any] = {"actor": actor, "at_ms": time.time_ns() // 1_000_000, "reason": reason}
    changes: list[CatalogChange] = []
    if found.digest not in catalog.revisions:
        canonical = canonical_json(found.playbook)
        changes.append(
            RevisionAdded(digest=found.digest, playbook=name, canonical=canonical, source=source, **by)
        )
    enabled = held.enabled if held and held.digest else True
    changes.append(PlaybookSet(name=name, digest=found.digest, enabled=enabled, **by))
    await change_catalog(parts, *changes)
    return Applied(outcome="applied", name=name, digest=found.digest, problems=warnings)


def problem_views(problems: Sequence[Finding]) -> list[dict[str, Any]]:
    """Findings as JSON."""
    return [
        {
            "file": each.file,
            "line": each.line,
            "column": each.column,
            "severity": each.severity,
            "message": each.message,
            "fix": each.fix,
        }
        for each in problems
    ]


def unified(old: str, new: str, name: str, file: str) -> str:
    """A unified diff of two texts."""
    lines = difflib.unified_diff(old.splitlines(), new.splitlines(), f"active {name}", file, lineterm="")
    return "\n".join(lines)
