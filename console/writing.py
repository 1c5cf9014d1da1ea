"""Sending records so that an answer may say they are durable, and reading one's own changes of the
catalog.
"""

import asyncio
import logging
from collections.abc import Awaitable
from typing import assert_never

from console.parts import Parts, Sent
from schemas.catalog import CatalogChange, EndpointSet, PlaybookSet, RevisionAdded, SwitchSet, TokenSet
from schemas.errors import SchemasError
from schemas.outgoing import AsItCame, Outgoing
from schemas.topics import CATALOG

log = logging.getLogger("pulsebook.web")

READ_BACK_S = 5.0
"""How long a change waits for this process's own reader; it is durable already, and will be seen."""


class NotDurable(Exception):
    """The broker did not acknowledge in time. The record may or may not become durable later: send it
    again.
    """


async def durably(parts: Parts, outgoing: Outgoing, within_s: float | None = None) -> Sent:
    """Send and wait for the acknowledgement. Raises NotDurable, and SchemasError for what is no record."""
    return await _acknowledged(parts, parts.writer.send(outgoing), within_s)


async def as_it_came_durably(parts: Parts, message: AsItCame) -> Sent:
    """The same for bytes as they came."""
    return await _acknowledged(parts, parts.writer.put_back(message), None)


async def _acknowledged(parts: Parts, sending: Awaitable[Sent], within_s: float | None) -> Sent:
    bound_s = parts.settings.durable_within_s if within_s is None else within_s
    try:
        async with asyncio.timeout(bound_s):
            sent = await sending
    except TimeoutError as error:
        parts.last_send.note(durable=False)
        raise NotDurable(f"the broker did not acknowledge within {bound_s:g} s") from error
    except SchemasError:
        raise
    except Exception as error:
        # Whatever the writer's trouble is, there is one thing to say to the caller: it is not durable.
        parts.last_send.note(durable=False)
        log.warning("not durable: %s: %s", type(error).__name__, error)
        raise NotDurable("the broker did not accept the record") from error
    parts.last_send.note(durable=True)
    return sent


async def change_catalog(parts: Parts, *changes: CatalogChange) -> None:
    """Write changes in their order, and return once this process's own catalog knows them.

    Raises NotDurable; the changes before the one that failed then hold.
    """
    for change in changes:
        sent = await durably(parts, Outgoing(CATALOG, catalog_key(change), change))
    try:
        async with asyncio.timeout(READ_BACK_S):
            await parts.catalog.reached(sent.offset + 1)
    except (TimeoutError, RuntimeError) as error:
        log.warning("catalog offset %d was written, but not read back: %r", sent.offset, error)


def catalog_key(change: CatalogChange) -> str:
    """The key a change has on its topic."""
    match change:
        case RevisionAdded():
            return f"revision/{change.digest}"
        case PlaybookSet():
            return f"playbook/{change.name}"
        case EndpointSet():
            return f"endpoint/{change.name}"
        case TokenSet():
            return f"token/{change.name}"
        case SwitchSet():
            return f"switch/{change.name}"
        case _:
            assert_never(change)
