"""How a run is shown in the trace of its alert: in a few lines; `pulsebook run show` has the rest."""

from typing import Any

from rich.markup import escape

from cli.output import markup, moment, say, span, styled

STEPS_SHOWN = 20


def show_run(run: dict[str, Any]) -> None:
    """A run as a trace of the API gives it."""
    at = moment(run["started_at_ms"])
    message = f"  {escape(run['message'])}" if run["message"] else ""
    took = f"took {span(run['duration_ms'])}" if run["duration_ms"] is not None else "no end yet"
    by = f"  started by {escape(' '.join(filter(None, (run['via'], run['actor']))))}" if _by_hand(run) else ""
    markup(f"    run {escape(run['run_id'])}  {styled(run['status'])}  {at}, {took}{by}{message}")
    _show_steps(run)
    for heard in run["recoveries"]:
        say(f"      {moment(heard['at_ms'])}  heard of the recovery {heard['alert_id']}")
    if run["cancelled_by"]:
        say(f"      cancelled by {run['cancelled_by']}")


def _show_steps(run: dict[str, Any]) -> None:
    steps = run["steps"]
    if steps is None:
        say(f"      its steps: pulsebook run show {run['run_id']}")
        return
    for step in steps[:STEPS_SHOWN]:
        _show_step(step)
    more = run["steps_left_out"] + len(steps[STEPS_SHOWN:])
    if more:
        say(f"      and {more} steps more: pulsebook run show {run['run_id']}")


def _by_hand(run: dict[str, Any]) -> bool:
    return run["via"] not in ("", "alert")


def _show_step(step: dict[str, Any]) -> None:
    what = " ".join(filter(None, (step["kind_of"], step["action"])))
    name = "  " * step["depth"] + step["step"]
    tried = f" after {step['attempts']} attempts" if step["attempts"] > 1 else ""
    took = f" in {span(step['took_ms'])}" if step["took_ms"] is not None else ""
    why = f": {step['why']}" if step["why"] else ""
    before = escape("  ".join(filter(None, (moment(step["begun_at_ms"]), name, what))))
    markup(f"      {before}  {styled(step['status'])}{tried}{took}{escape(why)}")
