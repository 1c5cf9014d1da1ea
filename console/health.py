"""/healthz, /readyz, /metrics: alive, can do its job (and if not, what is missing), and numbers."""

import time

import msgspec
from litestar import Response, get
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from console.api.asking import Given
from console.parts import Parts
from console.read_model.letters import counts, letters_by_state
from console.read_model.model import ReadModelUnavailable
from console.read_model.runs import runs_by_status


class Alive(msgspec.Struct, frozen=True):
    """The process answers."""

    status: str = "alive"


class Readiness(msgspec.Struct, frozen=True):
    """`missing`: why not; empty when ready."""

    status: str
    missing: list[str]


@get("/healthz", summary="Alive", tags=["health"])
async def healthz() -> Alive:
    """200 as long as the process answers at all."""
    return Alive()


@get("/readyz", summary="Can do its job", tags=["health"])
async def readyz(parts: Given) -> Response[Readiness]:
    """200 when it can; 503 with what is missing."""
    await parts.last_send.mend(parts.writer)
    lacking = missing(parts)
    ready = Readiness("not ready" if lacking else "ready", lacking)
    return Response(ready, status_code=503 if lacking else 200)


def missing(parts: Parts) -> list[str]:
    """What keeps the process from doing its job, in sentences."""
    found = []
    if parts.stopping.is_set():
        found.append("the process is stopping")
    if not parts.catalog.ready:
        found.append("the catalog has not been read to its end")
    model = parts.read_model
    if model and model.state.problem:
        found.append(f"the read model does not follow the log: {model.state.problem}")
    elif model and not model.state.caught_up:
        why = f": it is made again, as {model.state.remaking} asked" if model.state.remaking else ""
        found.append(f"the read model has not caught up with the log{why}")
    if model and model.state.unreachable:
        found.append(model.state.unreachable)
    if parts.last_send.failed_lately():
        found.append("the last record that was sent was not acknowledged")
    return found


@get("/metrics", summary="Numbers for Prometheus", tags=["health"], media_type="text/plain")
async def metrics(parts: Given) -> Response[bytes]:
    """Text format."""
    await _refresh(parts)
    return Response(generate_latest(parts.metrics.registry), media_type=CONTENT_TYPE_LATEST)


async def _refresh(parts: Parts) -> None:
    """Numbers that are looked up rather than counted."""
    model, to = parts.read_model, parts.metrics
    if model is None:
        return
    state = model.state
    to.model_lag_s.set(state.lag_ms / 1000)
    to.model_behind.set(state.behind)
    to.model_records.set(state.records)
    to.model_unreadable.set(state.unreadable)
    to.journal_conflicts.set(state.conflicts)
    waits = state.behind and state.committed_at_ms
    to.since_commit.set(time.time() - state.committed_at_ms / 1000 if waits else 0)
    try:
        by_status, known, letters = await model.query(
            lambda connection: (
                runs_by_status(connection),
                counts(connection),
                letters_by_state(connection),
            )
        )
    except ReadModelUnavailable:
        return
    to.runs.clear()
    for status, count in by_status.items():
        to.runs.labels(status).set(count)
    for what, count in known.items():
        to.known.labels(what).set(count)
    for outcome, count in letters.items():
        to.letters_by_state.labels(outcome).set(count)
