"""POST /api/v1/runs/{id}/answer: a person's answer to what a run asks. What it leads to is the engine's."""

from litestar import post
from litestar.params import FromPath, JSONBody

from console.api.asking import Asked, Body, Given, ReasonText, model_of
from console.api.runs import Requested, unknown
from console.problems import Problem
from console.run_view import run_view
from console.writing import durably
from schemas.inbox import Answered
from schemas.outgoing import Outgoing
from schemas.topics import RUN_INBOX


class AnswerBody(Body, frozen=True, kw_only=True):
    """Which choice is taken."""

    choice: str
    step: str = ""
    """The step that asks; may be left out where only one does."""
    comment: ReasonText = ""


@post("/runs/{run_id:str}/answer", status_code=202, opt={"role": "operator"}, summary="Answer a question")
async def answer(
    parts: Given, request: Asked, run_id: FromPath[str], data: JSONBody[AnswerBody]
) -> Requested:
    """The first answer wins: the run's story says whose it was."""
    found = await run_view(model_of(parts), run_id)
    if found is None:
        raise unknown(run_id)
    asking = {
        step.step: step.choices
        for step in found.steps
        if step.status == "waiting" and step.choices and data.step in ("", step.step)
    }
    if len(asking) != 1:
        which = "more than one step asks: name it as `step`" if asking else "nothing is asked"
        raise Problem(409, which, run_status=found.status)
    ((step, choices),) = asking.items()
    if data.choice not in choices:
        raise Problem(422, f"the step {step} can be answered with: {', '.join(choices)}")
    record = Answered(
        run_id=run_id, step=step, choice=data.choice, actor=request.user.name, comment=data.comment
    )
    await durably(parts, Outgoing(RUN_INBOX, run_id, record))
    return Requested(run_id)
