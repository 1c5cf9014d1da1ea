"""Exports the topics of a period into one file: in the order of the plan, so that the same period gives the
same hashes, whenever it is made and however often it was interrupted.

The order is topic by topic as `schemas.topics` lists them, partition by partition, offset by offset. How the
file is kept is `audit.export.part_file`; which records belong to a selection is `audit.export.selecting`.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing, suppress

from audit.export.counts import Lost
from audit.export.part_file import CannotExport, PartFile
from audit.export.plan import Plan
from audit.export.selecting import Selected, selected
from audit.interrupting import heed_cancel
from audit.log import Entry, Log, Place

Takes = Callable[[Entry], bool]
Told = Callable[[int, int], None]
"""Is told, now and then: how many offsets were looked at, and how many there are."""


async def export(
    log: Log, part: PartFile, topic_ids: Mapping[str, str], told: Told, chosen: Selected | None = None
) -> None:
    """Add all that is missing in the file. `chosen`: what belongs to the plan's selection, where known.

    Raises CannotExport where a topic is not the one that the file was begun with, and what `log` and the disk
    raise; but for a full disk the file has all that was read until then.
    """
    plan = part.plan
    if dict(plan.topic_ids) != dict(topic_ids):
        changed = sorted(name for name, held in plan.topic_ids.items() if topic_ids.get(name) != held)
        raise CannotExport(
            f"{', '.join(changed)} was deleted and made again since the export began: --force begins it anew"
        )
    takes: Takes = _everything
    if plan.selection:
        takes = (chosen or await selected(log, plan)).takes
    try:
        await _rest(log, part, plan, takes, told)
        await part.keep()
    except OSError:
        raise
    except BaseException:
        with suppress(OSError):
            await part.keep()
        raise


async def _rest(log: Log, part: PartFile, plan: Plan, takes: Takes, told: Told) -> None:
    note = part.kept
    places = list(plan.places())
    looked_at = sum(plan.bounds[place][1] - plan.bounds[place][0] for place in places[: note.done])
    for place in places[note.done :]:
        start, end = plan.bounds[place]
        at, first = start if note.offset is None else note.offset, None
        async with aclosing(log.read({place: at}, {place: end})) as batches:
            async for batch in batches:
                first = batch[0].offset if first is None else first
                await _take(part, batch, takes)
                heed_cancel()
                told(looked_at + batch[-1].offset + 1 - start, plan.offsets)
        if first is None or first > at:
            await _note_lost(log, part, place, at, end if first is None else first)
        note.done, note.offset = note.done + 1, None
        looked_at += end - start
        told(looked_at, plan.offsets)
        heed_cancel()


async def _take(part: PartFile, batch: Sequence[Entry], takes: Takes) -> None:
    for entry in batch:
        if takes(entry):
            part.add(entry)
        part.kept.offset = entry.offset + 1
        if part.is_full:
            await part.write()
    await part.note_if_due()


async def _note_lost(log: Log, part: PartFile, place: Place, at: int, before: int) -> None:
    """Offsets without a record need not be lost: a transaction's marker takes one. Kafka knows its oldest."""
    oldest = min((await log.bounds())[place][0], before)
    if at < oldest:
        part.kept.lost.append(Lost(*place, at, oldest - 1))


def _everything(_: Entry) -> bool:
    return True
