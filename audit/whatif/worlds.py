"""Two catalogs to hold side by side: the playbooks that are active, and those that would be.

The second is the first after `playbook apply` of the wanted ones: each takes the place of the active one of
its name and is enabled where that was; the others stay, unless they are to be pruned. Pauses and mutes are in
neither: they are an operator's word for a while, and say nothing about a playbook.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from engine.catalog import Catalog
from engine.children import called
from engine.playbook.calls import circles
from engine.playbook.canonical import canonical_json, digest
from engine.playbook.model import Playbook
from schemas.catalog import PlaybookSet, RevisionAdded

Standing = Literal["same", "new", "changed", "gone"]
"""A playbook of the second world beside that of the first."""


class NotApplicable(ValueError):
    """The wanted playbooks could not be applied beside the active ones; the text says why."""


@dataclass(frozen=True, slots=True)
class Worlds:
    """Both, with the playbooks that are looked at and no others."""

    active: Catalog
    wanted: Catalog
    standing: Mapping[str, Standing]
    """Of every playbook of either world, by name."""
    looked_at: frozenset[str]

    @property
    def calls(self) -> bool:
        """Whether any playbook that is looked at runs another one."""
        return any(
            called(book)
            for catalog in (self.active, self.wanted)
            for held in catalog.playbooks.values()
            if (book := catalog.compiled(held.digest)) is not None
        )


def worlds(now: Catalog, wanted: Iterable[Playbook], *, prune: bool = False, every: bool = False) -> Worlds:
    """The worlds of the active playbooks and the wanted ones.

    A playbook is looked at if it differs, or if one that it runs differs, or one that runs it, however far:
    admission holds all runs of a playbook against each other. What is left out comes to the same in both.
    `every`: leave out none. Raises NotApplicable.
    """
    added = {book.name: book for book in wanted}
    before = {name: held for name, held in now.playbooks.items() if held.digest}
    after = {name: held for name, held in before.items() if name in added or not prune}
    after |= {
        name: PlaybookSet(
            actor="",
            at_ms=0,
            name=name,
            digest=digest(book),
            enabled=before[name].enabled if name in before else True,
        )
        for name, book in added.items()
    }
    standing = {name: _standing(before.get(name), after.get(name)) for name in sorted({*before, *after})}
    canonicals = {one.digest: one.canonical for one in now.revisions.values()}
    canonicals |= {digest(book): canonical_json(book) for book in added.values()}
    whole = [_catalog(held, canonicals) for held in (before, after)]
    differs = {name for name, how in standing.items() if how != "same"}
    looked_at = frozenset(standing) if every else frozenset(_with_related(differs, whole))
    active, second = (
        _catalog({name: one for name, one in held.items() if name in looked_at}, canonicals)
        for held in (before, after)
    )
    _check_circles(second, added)
    return Worlds(active, second, standing, looked_at)


def _check_circles(catalog: Catalog, names: Collection[str]) -> None:
    """A circle through any of these; within one folder of files, lint has found it already."""
    calls = {
        name: called(book)
        for name, held in catalog.playbooks.items()
        if (book := catalog.compiled(held.digest)) is not None
    }
    for (name, _), way in sorted(circles(calls).items()):
        if name in names:
            way_round = " → ".join((name, *way))
            raise NotApplicable(
                f"with the active playbooks these would call each other in a circle: {way_round}"
            )


def _standing(before: PlaybookSet | None, after: PlaybookSet | None) -> Standing:
    if before is None:
        return "new"
    if after is None:
        return "gone"
    return "same" if before.digest == after.digest else "changed"


def _catalog(held: Mapping[str, PlaybookSet], canonicals: Mapping[str, str]) -> Catalog:
    """A catalog with these playbooks alone. A revision that is missing is missing there, too."""
    catalog = Catalog()
    for one in held.values():
        if one.digest in canonicals:
            revision = RevisionAdded(
                actor="",
                at_ms=0,
                digest=one.digest,
                playbook=one.name,
                canonical=canonicals[one.digest],
                source="",
            )
            catalog.apply(catalog.offset, revision)
        catalog.apply(catalog.offset, one)
    return catalog


def _with_related(names: set[str], catalogs: Iterable[Catalog]) -> set[str]:
    """These, and all that are linked with them by `run` steps, in either direction and of either world."""
    links: dict[str, set[str]] = {}
    for catalog in catalogs:
        for name, held in catalog.playbooks.items():
            book = catalog.compiled(held.digest)
            for other in called(book) if book is not None else ():
                links.setdefault(name, set()).add(other)
                links.setdefault(other, set()).add(name)
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting.extend(links.get(name, ()))
    return found
