"""Journal records for tests: what the engine would write, with defaults that do not matter."""

from typing import Any

from executor.config import Identity
from schemas.events import JournalRecord, RunEvent, StepGranted, StepRequested

FAR_MS = 4_000_000_000_000
ME = Identity("executor-1", "boot-2", 2_000)
EARLIER_ME = Identity("executor-1", "boot-1", 1_000)
OTHER = Identity("executor-2", "boot-9", 1_500)


def requested(step: str = "restart", attempt: int = 1, **given: Any) -> StepRequested:
    fields: dict[str, Any] = {
        "step": step,
        "attempt": attempt,
        "action": "log",
        "arguments": {"message": "hello"},
        "repeatable": True,
        "timeout_ms": 10_000,
        "start_by_ms": FAR_MS,
        "deadline_ms": FAR_MS,
        "idempotency_key": f"r-1/{step}/{attempt}",
    }
    return StepRequested(**(fields | given))


def granted(step: str = "restart", to: Identity = ME, until_ms: int = FAR_MS) -> StepGranted:
    return StepGranted(
        step=step,
        attempt=1,
        instance=to.instance,
        boot=to.boot,
        booted_at_ms=to.booted_at_ms,
        until_ms=until_ms,
    )


def journal(seq: int, *events: RunEvent, run_id: str = "r-1") -> JournalRecord:
    return JournalRecord(
        run_id=run_id,
        playbook="checkout",
        seq=seq,
        cause_topic="run-inbox",
        cause_partition=0,
        cause_offset=seq,
        at_ms=1_000 + seq,
        events=events,
    )
