"""Why an alert did not fit the playbooks that nobody looked at: their clauses asked again, of the alert as it
was recorded and the catalog as it was then.

Of many playbooks, matching looks only at those that come near, and counts the others as ruled out
(`engine.matching`). This says of each of those which clause was false.
"""

from collections.abc import Collection

from engine.catalog import Catalog, compiled_of
from engine.matching import look
from engine.matching_clauses import Facts
from engine.matching_index import Offered
from engine.playbook.compiled import Compiled
from schemas.catalog import PlaybookSet
from schemas.decisions import Looked

NO_TRIGGER = "on"
"""The clause of a playbook that no alert starts."""


def ruled_out(catalog: Catalog, before: int, looked: Collection[str]) -> dict[str, PlaybookSet]:
    """By name in order: the playbooks that were there when the catalog before that offset was known, without
    those that were looked at.
    """
    held = catalog.past.playbooks(before)
    return {name: one for name, one in held.items() if name not in looked}


def looked_again(facts: Facts, catalog: Catalog, before: int, held: PlaybookSet) -> Looked:
    """What becomes of one of them; matched, where the record and this program contradict each other."""
    book = _book(catalog, before, held)
    if book is not None and not book.playbook.alerts:
        return Looked(
            playbook=held.name,
            revision=held.digest,
            matched=False,
            clause=NO_TRIGGER,
            detail="it has no `on.alert`: no alert starts it",
        )
    return look(facts, Offered(held.name, held.digest, book, held.enabled))


def _book(catalog: Catalog, before: int, held: PlaybookSet) -> Compiled | None:
    """Its revision as it was known then. An old one is compiled for this once: there may be many of them."""
    if not catalog.past.knew(held.digest, before):
        return None
    now = catalog.playbooks.get(held.name)
    if now is not None and now.digest == held.digest:
        return catalog.compiled(held.digest)
    found = compiled_of(catalog.revisions[held.digest])
    return found if isinstance(found, Compiled) else None
