"""A step as a row of the page of its run: what it is, how it stands, when, and what came of it."""

import shlex

from console.markup import link_to_run, moment, text, value
from console.step_view import StepView

INDENT_REM = 1.5


def step_row(run_id: str, step: StepView) -> tuple[str, ...]:
    """The cells; a step within others stands further to the right."""
    return _name(step), _status(step), _times(step), _told(run_id, step)


def _name(step: StepView) -> str:
    what = " ".join(filter(None, (step.kind_of, step.action)))
    named = text(step.step) + (f" <small>{text(what)}</small>" if what else "")
    return f'<div style="margin-left: {INDENT_REM * step.depth:g}rem">{named}</div>' if step.depth else named


def _status(step: StepView) -> str:
    if step.kind_of == "loop" and step.total:
        return f"{text(step.status)}, {step.iterations} of {step.total} iterations"
    return text(step.status) + (f", {step.attempts} attempts" if step.attempts > 1 else "")


def _times(step: StepView) -> str:
    times = [moment(step.started_at_ms or step.requested_at_ms or step.begun_at_ms)]
    if step.took_ms is not None:
        times.append(f"took {step.took_ms:,} ms")
    if step.due_ms:
        times.append(f"{_DUE.get(step.kind_of, 'tried again at')} {moment(step.due_ms)}")
    return "<br>".join(filter(None, times))


_DUE = {"wait": "until", "ask": "until", "loop": "the next one at"}


def _told(run_id: str, step: StepView) -> str:
    told = [_about(step), link_to_run(step.child_run_id), text(step.reason), *_question(run_id, step)]
    told += [text(step.late), "" if step.kind_of == "ask" and step.answer else value(step.output)]
    if step.error is not None:
        went_on = "; the run went on" if step.continued else ""
        told.insert(0, f"<strong>{text(step.error.kind)}</strong>: {text(step.error.message)}{went_on}")
    return "<br>".join(filter(None, told))


def _about(step: StepView) -> str:
    if step.kind_of == "wait":
        return "for the alert to recover" if step.about == "recovered" else ""
    return ("side by side: " if step.kind_of == "parallel" and step.about else "") + text(step.about)


def _question(run_id: str, step: StepView) -> list[str]:
    """What is asked, and, until somebody answers, of whom and how."""
    if not step.question:
        return []
    asked = [f"<strong>{text(step.question)}</strong>"]
    if step.answer:
        remark = step.output.get("comment") if isinstance(step.output, dict) else ""
        said = f"{step.answered_by or 'nobody in time'}: {step.answer}" + (f" ({remark})" if remark else "")
        return [*asked, text(said)]
    if step.status != "waiting":
        return asked
    command = shlex.join(("pulsebook", "run", "answer", run_id, step.step, step.choices[0]))
    return [
        *asked,
        f"one of: {text(', '.join(step.choices))}; without an answer: {text(step.on_timeout)}",
        f"may answer: {text(', '.join(step.by))}",
        f"<code>{text(command)}</code>",
    ]
