"""The runs of one key, or of one cycle, in a row that does not grow with them.

The first 64 stand in the row itself, each further 64 in a part of their own, of which the row keeps the
number. So a start or an end writes the row or one part, however many runs there are. Each run remembers in
which part it stands (0: in the row).
"""

from typing import NamedTuple

from engine.admission.draft import Draft
from engine.admission.rows import CycleRow, KeyRow

LISTED_MAX = 64


class Runs(NamedTuple):
    """What a row says of its runs."""

    listed: tuple[str, ...]
    parts: tuple[int, ...]


def runs_of(row: KeyRow | CycleRow) -> Runs:
    """The runs of a row (of a key: those that are active)."""
    return Runs(row.active if isinstance(row, KeyRow) else row.runs, row.parts)


def everyone(draft: Draft, suffix: str, runs: Runs) -> tuple[str, ...]:
    """All of them. `suffix`: the row's key without the playbook's name."""
    return runs.listed + tuple(run_id for number in runs.parts for run_id in draft.part(suffix, number))


def with_run(draft: Draft, suffix: str, runs: Runs, run_id: str) -> tuple[Runs, int]:
    """With one more, and the part in which it stands now."""
    if len(runs.listed) < LISTED_MAX:
        return Runs((*runs.listed, run_id), runs.parts), 0
    last = runs.parts[-1] if runs.parts else 0
    held = draft.part(suffix, last) if last else ()
    if last and len(held) < LISTED_MAX:
        draft.put_part(suffix, last, (*held, run_id))
        return runs, last
    draft.put_part(suffix, last + 1, (run_id,))
    return Runs(runs.listed, (*runs.parts, last + 1)), last + 1


def without_run(draft: Draft, suffix: str, runs: Runs, run_id: str, part: int) -> Runs:
    """Without the one that stands in `part`. A part that is empty goes."""
    if not part:
        return Runs(tuple(other for other in runs.listed if other != run_id), runs.parts)
    left = tuple(other for other in draft.part(suffix, part) if other != run_id)
    draft.put_part(suffix, part, left)
    return runs if left else Runs(runs.listed, tuple(number for number in runs.parts if number != part))
