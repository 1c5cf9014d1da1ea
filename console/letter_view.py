"""What was done about a dead letter, as the API shows it."""

from typing import Literal

import msgspec

from schemas.dead_letters import DeadLetterHandled


class HandledView(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody did about a dead letter. `lies_at`: topic/partition/offset of what was put back."""

    id: str
    outcome: Literal["redriven", "dropped"]
    actor: str
    at_ms: int
    reason: str
    lies_at: str


def handled_view(done: DeadLetterHandled) -> HandledView:
    """From the record."""
    return HandledView(
        id=f"{done.partition}-{done.offset}",
        outcome=done.outcome,
        actor=done.actor,
        at_ms=done.at_ms,
        reason=done.reason,
        lies_at=f"{done.topic}/{done.to_partition}/{done.to_offset}" if done.topic else "",
    )
