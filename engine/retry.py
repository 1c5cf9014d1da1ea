"""Is a failed attempt tried again, and when? A pure function of policy, attempt and failure; its answer is
a value.

Two bounds always: attempts and elapsed time. Whether an outcome is known at all is not asked here:
`engine.run.failing` asks that first.
"""

import zlib
from dataclasses import dataclass

from engine.playbook.model import Retry

DEFAULT = Retry(attempts=3, delay_ms=1_000, backoff=2.0, max_delay_ms=60_000, within_ms=3_600_000)
"""For a repeatable step without `retry`."""

TRANSIENT = frozenset({"timeout", "unreachable", "http_5xx", "rate_limited"})
"""Kinds that the default policy tries again."""

POINTLESS = frozenset({"bad_input", "too_large", "refused", "exhausted", "cancelled"})
"""Kinds that no policy tries again: the same arguments fail in the same way, or somebody said no."""

JITTER = 0.25
"""The largest part of a delay that is taken off, so that runs that failed together do not come back
together.
"""


@dataclass(frozen=True, slots=True)
class Failure:
    """How an attempt failed. `retry_after_ms`: how long the other side asked to wait."""

    kind: str
    message: str
    retry_after_ms: int | None = None


@dataclass(frozen=True, slots=True)
class RetryAfter:
    """Try again in `delay_ms`."""

    delay_ms: int
    reason: str


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Do not try again. `exhausted`: it would have been, but for a bound of the policy."""

    reason: str
    exhausted: bool = False


def next_attempt(
    policy: Retry | None, failure: Failure, *, attempt: int, repeatable: bool, elapsed_ms: int, seed: str
) -> RetryAfter | GiveUp:
    """What follows a failed attempt (counted from 1), `elapsed_ms` after the step's first one was
    requested.

    `policy` None: the default of the language. `seed`: names the attempt (run/step/attempt); the jitter is
    its hash.
    """
    if failure.kind in POINTLESS:
        return GiveUp(f"{failure.kind} is never tried again")
    if policy is None:
        if not repeatable:
            return GiveUp("an unrepeatable step without `retry` is tried once")
        if failure.kind not in TRANSIENT:
            return GiveUp(f"{failure.kind} is not tried again without `retry`")
        policy = DEFAULT
    if attempt >= policy.attempts:
        return GiveUp(f"attempt {attempt} of {policy.attempts} was the last", exhausted=policy.attempts > 1)
    delay_ms = delay_after(policy, attempt, seed)
    asked_ms = failure.retry_after_ms or 0
    waited = max(delay_ms, asked_ms)
    if max(elapsed_ms, 0) + waited > policy.within_ms:
        bound = seconds(policy.within_ms)
        return GiveUp(f"attempt {attempt + 1} would begin later than {bound} after the first", exhausted=True)
    why = "as the other side asks" if asked_ms > delay_ms else "as the policy says"
    reason = (
        f"{failure.kind}: attempt {attempt} of {policy.attempts} failed, again in {seconds(waited)} {why}"
    )
    return RetryAfter(waited, reason)


def delay_after(policy: Retry, attempt: int, seed: str) -> int:
    """Delay after that attempt, ms: delay * backoff^(attempt - 1), at most max_delay, less some jitter."""
    delay = float(policy.delay_ms)
    for _ in range(attempt - 1):
        if delay >= policy.max_delay_ms:
            break
        delay *= policy.backoff
    part = zlib.crc32(seed.encode("utf-8", "surrogatepass")) / 0xFFFF_FFFF
    return int(min(delay, policy.max_delay_ms) * (1 - JITTER * part))


def seconds(duration_ms: int) -> str:
    """A duration for a person: 450 ms, 1.5 s, 10 min, 2 h."""
    if duration_ms < 1_000:
        return f"{duration_ms} ms"
    for unit_ms, unit in ((3_600_000, "h"), (60_000, "min")):
        if duration_ms >= unit_ms and duration_ms % unit_ms == 0:
            return f"{duration_ms // unit_ms} {unit}"
    return f"{duration_ms / 1_000:.1f}".removesuffix(".0") + " s"
