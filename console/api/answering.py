"""POST /api/v1/runs/{id}/answer: a person's answer to what a run asks. What it leads to is the engine's."""

import asyncio

from litestar import post
from litestar.params import FromPath, JSONBody

from console.access import ANSWERS_BY_DEFAULT, Principal, is_among
from console.api.asking import Asked, Body, Given, ReasonText, model_of
from console.api.runs import Requested, unknown
from console.parts import Parts
from console.problems import Problem
from console.read_model.runs import answers
from console.run_view import RunView, run_view
from console.step_view import StepView
from console.writing import durably
from schemas.events import StepAnswered
from schemas.inbox import Answered
from schemas.outgoing import Outgoing
from schemas.topics import RUN_INBOX


class AnswerBody(Body, frozen=True, kw_only=True):
    """Which choice is taken."""

    choice: str
    step: str = ""
    """The step that asks; may be left out where only one does."""
    comment: ReasonText = ""


@post("/runs/{run_id:str}/answer", status_code=202, summary="Answer a question")
async def answer(
    parts: Given, request: Asked, run_id: FromPath[str], data: JSONBody[AnswerBody]
) -> Requested:
    """Of those who may, the first answer wins; one that comes later is 409, and says whose it was.

    Who may is the question's to say (`by`), so the route is open to every role.
    """
    found = await run_view(model_of(parts), run_id, parts.catalog.catalog)
    if found is None:
        _refuse_others(parts, request.user, "", ANSWERS_BY_DEFAULT)
        raise unknown(run_id)
    asks = _asking(found, data.step)
    _refuse_others(parts, request.user, asks.step, asks.by)
    if data.choice not in asks.choices:
        message = f"the step {asks.step} can be answered with: {', '.join(asks.choices)}"
        raise Problem(422, message, choices=asks.choices)
    record = Answered(
        run_id=run_id, step=asks.step, choice=data.choice, actor=request.user.name, comment=data.comment
    )
    sent = await durably(parts, Outgoing(RUN_INBOX, run_id, record))
    other = await _outrun_by(parts, run_id, asks, (sent.partition, sent.offset))
    if other is not None:
        raise _answered(asks.step, other.choice, other.actor)
    return Requested(run_id)


def _refuse_others(parts: Parts, user: Principal, step: str, by: tuple[str, ...]) -> None:
    """Raises Problem where somebody else is asked. Without tokens nobody knows who is who: all may."""
    if not parts.settings.auth or is_among(user, by):
        return
    what = f"the step {step} can be answered by" if step else "questions are answered by"
    raise Problem(403, f"{what}: {', '.join(by)}; {user.name} is {user.role}", by=by)


def _asking(run: RunView, step: str) -> StepView:
    """The step that the answer is for. Raises Problem."""
    asking = [each for each in run.steps if each.status == "waiting" and each.choices]
    names = ", ".join(each.step for each in asking)
    if not step:
        if len(asking) == 1:
            return asking[0]
        which = f"more than one step asks: name one of {names}" if asking else "nothing is asked"
        raise Problem(409, which, run_status=run.status)
    named = next((each for each in run.steps if each.step == step), None)
    if named in asking and named is not None:
        return named
    if named is not None and named.answer:
        raise _answered(step, named.answer, named.answered_by)
    if named is None:
        what = f"the steps that ask are: {names}" if asking else "nothing is asked"
        raise Problem(422, f"the run has no step {step[:100]} so far; {what}", run_status=run.status)
    also = f"; those that do: {names}" if asking else ""
    raise Problem(409, f"the step {step} asks nothing (it is {named.status}){also}", run_status=run.status)


def _answered(step: str, choice: str, actor: str) -> Problem:
    who = f"by {actor}" if actor else "by its timeout"
    return Problem(
        409, f"the step {step} was answered already, {who}: {choice}", choice=choice, answered_by=actor
    )


async def _outrun_by(
    parts: Parts, run_id: str, asks: StepView, place: tuple[int, int]
) -> StepAnswered | None:
    """Another's answer that came before the one at `place` of the inbox. None: ours counts, or nobody knows
    yet.
    """
    model = model_of(parts)
    with model.watchers.watch(run_id) as changed:
        try:
            async with asyncio.timeout(parts.settings.answered_within_s):
                while not parts.stopping.is_set():
                    changed.clear()
                    found = await model.query(
                        lambda connection: answers(connection, run_id, asks.step, asks.asked_seq)
                    )
                    if found:
                        cause, event = found[0]
                        return None if cause == place else event
                    await changed.wait()
        except TimeoutError:
            pass
    return None
