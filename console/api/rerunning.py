"""POST /api/v1/runs/{id}/rerun: again, from a step on. What is taken over: `engine.run.rerunning`."""

import time
from typing import Annotated

import msgspec
from litestar import post
from litestar.params import FromPath, JSONBody

from console.api.asking import Asked, Body, Given, model_of
from console.api.runs import IdempotencyKey, Requested, unknown
from console.parts import Parts
from console.problems import Problem
from console.run_view import journal_of
from console.starting import CannotStart, hand_in, refuse_unfit, request_id
from engine.children import pinned_children
from engine.playbook.compiled import Compiled
from engine.run.rerunning import CannotRerun, rerun_of
from schemas.admissions import Candidate
from schemas.errors import SchemasError
from schemas.events import RunFinished, RunStarted
from schemas.ids import run_id as id_of_run


class RerunBody(Body, frozen=True, kw_only=True):
    """From where, and by which rules."""

    from_step: Annotated[str, msgspec.Meta(max_length=300)] = ""
    """Path of a step of `steps`; those before it are not done again. Empty: from the beginning."""
    latest: bool = False
    """By the active revision, in place of the one that the earlier run had pinned."""


@post(
    "/runs/{run_id:str}/rerun",
    status_code=202,
    opt={"role": "operator"},
    summary="Do a run again, from a step on",
)
async def rerun(
    parts: Given,
    request: Asked,
    run_id: FromPath[str],
    data: JSONBody[RerunBody | None] = None,
    idempotency_key: IdempotencyKey = "",
) -> Requested:
    """A new run with the earlier one's alert and inputs. A person means it: no rule of admission holds it."""
    asked = data or RerunBody()
    journal = await journal_of(model_of(parts), run_id)
    events = [event for record in journal for event in record.events]
    started = next((event for event in events if isinstance(event, RunStarted)), None)
    if started is None:
        raise unknown(run_id)
    if not any(isinstance(event, RunFinished) for event in events):
        raise Problem(409, "the run has not ended yet: cancel it first, or wait")
    book = _revision(parts, started, asked.latest)
    try:
        again = rerun_of(journal, book, asked.from_step)
    except CannotRerun as error:
        raise Problem(422, str(error)) from error
    catalog = parts.catalog.catalog
    new_id = request_id(f"rerun/{run_id}/{request.user.name}", idempotency_key)
    candidate = Candidate(
        request_id=new_id,
        playbook=started.playbook,
        revision=book.digest,
        catalog_offset=catalog.offset,
        run_id=id_of_run(started.playbook, new_id),
        via="rerun",
        actor=request.user.name,
        alert=started.alert,
        inputs=started.inputs,
        received_at_ms=time.time_ns() // 1_000_000,
        override=True,
        children=pinned_children(book, catalog),
        rerun=again,
    )
    try:
        refuse_unfit(book, started.inputs, started.alert)
        return Requested(await hand_in(parts, candidate))
    except CannotStart as error:
        raise Problem(error.status, str(error)) from error
    except SchemasError as error:
        raise Problem(422, f"the rerun cannot be recorded: {error}") from error


def _revision(parts: Parts, started: RunStarted, latest: bool) -> Compiled:
    catalog = parts.catalog.catalog
    held = catalog.playbooks.get(started.playbook)
    digest = (held.digest if held else "") if latest else started.revision
    book = catalog.compiled(digest) if digest else None
    if book is None:
        which = "there is no active revision of" if latest else f"revision {digest[:12]} is not known of"
        raise Problem(409, f"{which} {started.playbook}")
    return book
