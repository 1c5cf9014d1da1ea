"""Which playbooks a run may start: pinned when it is asked for, with all that these may start in turn."""

from engine.catalog import Catalog
from engine.playbook.compiled import Compiled
from engine.playbook.model import RunStep
from schemas.relations import PinnedChild


def pinned_children(book: Compiled, catalog: Catalog) -> tuple[PinnedChild, ...]:
    """Every playbook that is reached from this one, by name; one that is not in the catalog is left out.

    What is left out, or has no `on.call`, fails the step that runs it. A disabled one is there: admission
    holds it back, and says so.
    """
    found: dict[str, PinnedChild] = {}
    seen = {book.digest}
    waiting = [book]
    while waiting:
        for name in called(waiting.pop()):
            held = catalog.playbooks.get(name)
            child = catalog.compiled(held.digest) if held is not None and held.digest else None
            if child is None or child.playbook.call is None:
                continue
            found[name] = PinnedChild(playbook=name, revision=child.digest, catalog_offset=catalog.offset)
            if child.digest not in seen:
                seen.add(child.digest)
                waiting.append(child)
    return tuple(found[name] for name in sorted(found))


def called(book: Compiled) -> tuple[str, ...]:
    """The playbooks that a playbook runs itself, by name."""
    return tuple(sorted({step.playbook for step in book.steps.values() if isinstance(step, RunStep)}))
