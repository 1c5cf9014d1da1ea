"""Enabled or not, paused or not: what the inputs have told, the one that knows more of the catalog last.

The catalog itself is not asked: how it stands at this moment is nothing that a replay could find out again.
"""

from msgspec.structs import replace

from engine.admission.draft import Draft
from schemas.admissions import Hold


def switch(draft: Draft, enabled: bool, paused: Hold | None, catalog_offset: int) -> None:
    """Keep what somebody saw who had read the catalog up to `catalog_offset`."""
    if catalog_offset > draft.book.enabled_offset:
        draft.book = replace(draft.book, enabled=enabled, paused=paused, enabled_offset=catalog_offset)
