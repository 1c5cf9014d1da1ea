"""How rows are forgotten: up to 64 together, by one timer, so that timers do not grow with alerts.

New rows are listed in the playbook's row. When that list is full, or an hour old at the next arrival, it
becomes a chunk with a timer of its own, due a day later. A row is dropped then only if nothing still needs
it: one that was renewed since is listed in a later chunk, too.
"""

from msgspec.structs import replace

from engine.admission.draft import Draft
from engine.admission.rows import CHUNK_ROWS_MAX, ChunkRow, Cooldown, CycleRow, KeyRow, RunRow
from engine.admission.spacing import cooled

REMEMBERED_MS = 86_400_000
"""How long the first decision on a request is remembered."""
_CHUNK_OPEN_MS = 3_600_000


def remember(draft: Draft, suffix: str) -> None:
    """Have the row PLAYBOOK + `suffix` forgotten when its day is over, at the earliest."""
    book = draft.book
    if len(book.recent) >= CHUNK_ROWS_MAX or (
        book.recent and draft.at_ms - book.recent_since_ms >= _CHUNK_OPEN_MS
    ):
        draft.put_chunk(book.chunk, ChunkRow(book.recent, draft.at_ms + REMEMBERED_MS))
        book = replace(book, chunk=book.chunk + 1, recent=())
    since_ms = book.recent_since_ms if book.recent else draft.at_ms
    draft.book = replace(book, recent=(*book.recent, suffix), recent_since_ms=since_ms)


def forget(draft: Draft, row_key: str, chunk: ChunkRow) -> None:
    """The chunk's timer fired."""
    for suffix in dict.fromkeys(chunk.rows):
        listed = draft.playbook + suffix
        row = draft.row(listed)
        if isinstance(row, RunRow) and row.state == "ended" and row.remembered_until_ms <= draft.at_ms:
            draft.rows[listed] = None
        elif isinstance(row, CycleRow) and row.until_ms <= draft.at_ms:
            draft.put_cycle(suffix[1:], CycleRow(runs=row.runs, parts=row.parts))
        elif isinstance(row, KeyRow) and row.cooldown is not None:
            _forget_start(draft, suffix, row, row.cooldown, chunk.due_ms)
    draft.rows[row_key] = None


def _forget_start(draft: Draft, suffix: str, row: KeyRow, cooldown: Cooldown, due_ms: int) -> None:
    """The key's last start, unless it counts for longer; a later start than the chunk's is in a later one."""
    if cooldown.started_ms + cooldown.for_ms <= draft.at_ms:
        draft.put_key(suffix[1:], cooled(row))
    elif cooldown.started_ms + REMEMBERED_MS <= due_ms:
        remember(draft, suffix)
