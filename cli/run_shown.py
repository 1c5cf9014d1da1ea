"""How a run is shown to a person: whole, and event by event."""

import json
import shlex
from collections.abc import Mapping
from typing import Any, get_args

import msgspec
from rich.markup import escape

from cli.output import markup, moment, say, span, styled
from cli.tables import show_rows
from engine.sentences import sentence
from schemas.events import RunEvent

RESULT_MAX = 200
INDENT = "  "
KINDS: Mapping[str, type[RunEvent]] = {kind.__name__: kind for kind in get_args(RunEvent)}
COLUMNS = ("step", "action", "status", "attempts", "started_at_ms", "took", "result")


def show_run(run: dict[str, Any]) -> None:
    """A run as the API shows it."""
    name, status = escape(run.get("playbook") or ""), styled(run["status"])
    markup(f"[bold]run {escape(run['run_id'])}[/]  {name}  {status}")
    if run.get("message"):
        where = f"step {run['step']}: " if run.get("step") else ""
        say(f"  {where}{run['message']}")
    say(f"  revision  {(run.get('revision') or '')[:12]}   started by {_started_by(run)}")
    say(f"  started   {moment(run.get('started_at_ms')) or 'not yet'}   took {_took(run)}")
    if run.get("alert_id"):
        say(f"  alert     {run['alert_id']}  {run.get('title') or ''}".rstrip())
    if run.get("inputs"):
        say("  inputs    " + _json(run["inputs"]))
    show_rows([_step_row(step) for step in run.get("steps", [])], COLUMNS, False, "  no steps yet")
    for step in run.get("steps", []):
        _show_question(run["run_id"], step)
    for decided in run.get("decisions", []) if not run.get("started_at_ms") else []:
        say(f"  {moment(decided['at_ms'])}  {decided['decision']}: {decided['rule']}: {decided['reason']}")
    if run.get("outputs"):
        say("  outputs   " + _json(run["outputs"]))
    for published in run.get("publications", []):
        sent = published.get("sent") or {}
        say(f"  told Datadog: {sent.get('title', '')}  (event {published.get('event_id') or 'refused'})")


def _show_question(run_id: str, step: dict[str, Any]) -> None:
    """What the step asks, and how to answer; nothing where it does not."""
    if step["status"] != "waiting" or not step.get("choices"):
        return
    say(f"  asks      {step['step']}: {step.get('question')}")
    until = moment(step.get("due_ms"))
    default = f"; without an answer by {until}: {step['on_timeout']}" if until else ""
    say(f"            one of {', '.join(step['choices'])}{default}")
    say(f"            may answer: {', '.join(step.get('by') or ['operator'])}")
    say(f"            answer with: {answer_command(run_id, step['step'], step['choices'][0])}")


def answer_command(run_id: str, step: str, choice: str) -> str:
    """The command that answers, as a shell takes it: `[2]` in a path means something to it."""
    return shlex.join(("pulsebook", "run", "answer", run_id, step, choice))


def _started_by(run: dict[str, Any]) -> str:
    via = run.get("via") or "alert"
    return f"{via} ({run['actor']})" if run.get("actor") else via


def _took(run: dict[str, Any]) -> str:
    return span(run.get("duration_ms")) or "no end yet"


def _step_row(step: dict[str, Any]) -> dict[str, Any]:
    result = "; ".join(filter(None, (_about(step), _result(step))))
    return {
        "step": INDENT * step.get("depth", 0) + step["step"],
        "action": " ".join(filter(None, (step.get("kind_of"), step.get("action")))),
        "status": step["status"],
        "attempts": step.get("attempts") or "",
        "started_at_ms": step.get("started_at_ms") or step.get("requested_at_ms") or step.get("begun_at_ms"),
        "took": span(step.get("took_ms")),
        "result": result if len(result) <= RESULT_MAX else result[:RESULT_MAX] + "…",
    }


def _result(step: dict[str, Any]) -> str:
    if step.get("error"):
        return f"{step['error']['kind']}: {step['error']['message']}"
    if step.get("output") is not None and (step["output"] or step.get("kind_of") != "loop"):
        return _json(step["output"])
    return step.get("reason") or step.get("question") or ""


def _about(step: dict[str, Any]) -> str:
    """What there is to know of a step that holds others, or waits."""
    about = step.get("about") or ""
    until = f"until {moment(step['due_ms'])}" if step.get("due_ms") else ""
    match step.get("kind_of"):
        case "loop" if step.get("total"):
            then = f", the next one at {moment(step['due_ms'])}" if until else ""
            return f"{step['iterations']} of {step['total']} iterations{then}"
        case "parallel" if about:
            return f"side by side: {about}"
        case "wait":
            what = "for the alert to recover" if about == "recovered" else ""
            return ", ".join(filter(None, (what, until)))
        case "run":
            return str(step.get("child_run_id") or "")
        case _:
            return about


def event_line(event: dict[str, Any]) -> str:
    """One event of a journal record in words; its name alone where this program does not know it.

    What happens to a step of an iteration stands further to the right.
    """
    kind = KINDS.get(event["type"])
    margin = INDENT * str(event.get("step", "")).count("].")
    try:
        return margin + sentence(msgspec.convert(event, kind)) if kind else str(event["type"])
    except msgspec.ValidationError:
        return str(event["type"])


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
