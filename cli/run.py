"""`pulsebook run`: start, list, show, watch and cancel runs."""

import json
import time
from typing import Annotated, Any

import typer
from rich.markup import escape

from cli import client
from cli.output import (
    ANSWER_IS_NO,
    WRONG_USE,
    JsonOption,
    document,
    fail,
    markup,
    moment,
    say,
    show_rows,
    span,
    styled,
)

app = typer.Typer(no_args_is_help=True, help="Start, list, show, watch and cancel runs.")
ENDED = ("succeeded", "failed", "cancelled", "dropped", "expired", "refused", "held_back")


@app.command()
def start(
    playbook: str,
    inputs: Annotated[
        list[str] | None, typer.Option("-i", "--input", help="name=value; JSON where it is JSON.")
    ] = None,
    alert: Annotated[str, typer.Option(help="Id of a recorded alert to start it with.")] = "",
    wait: Annotated[
        bool, typer.Option("--wait", help="Wait for the end; exit 1 unless it succeeded.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Start a playbook by hand."""
    body: dict[str, Any] = {"playbook": playbook, "inputs": dict(map(_pair, inputs or []))}
    if alert:
        body["alert_id"] = alert
    answer = client.call("POST", "/api/v1/runs", body=body)
    run_id = answer["run_id"]
    if not wait:
        document(answer) if as_json else say(f"run {run_id} requested; try: pulsebook run watch {run_id}")
        return
    run = _wait_for_end(run_id)
    document(run) if as_json else show_run(run)
    if run["status"] != "succeeded":
        raise typer.Exit(ANSWER_IS_NO)


def _pair(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        fail(f"-i {text}: write it as name=value", WRONG_USE)
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def _wait_for_end(run_id: str) -> dict[str, Any]:
    while True:
        run: dict[str, Any] = client.call("GET", f"/api/v1/runs/{run_id}", allow=(404,))
        if run["status"] in ENDED:
            return run
        time.sleep(0.3)


@app.command("list")
def list_runs(
    status: Annotated[str, typer.Option(help="Only runs of this status.")] = "",
    playbook: Annotated[str, typer.Option(help="Only runs of this playbook.")] = "",
    limit: Annotated[int, typer.Option(min=1, help="How many, the latest first.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """The latest runs."""
    rows = list(client.pages("/api/v1/runs", {"status": status or None, "playbook": playbook or None}, limit))
    for row in rows:
        row["took"] = span(row.get("duration_ms"))
    columns = ("run_id", "playbook", "status", "started_at_ms", "took", "message")
    show_rows(rows, columns, as_json, "no runs yet; try: pulsebook alert send --example")


@app.command()
def show(run_id: str, as_json: JsonOption = False) -> None:
    """One run: its steps with outputs, attempts and times, and what was published."""
    run = client.call("GET", f"/api/v1/runs/{run_id}")
    document(run) if as_json else show_run(run)


def show_run(run: dict[str, Any]) -> None:
    """A run for a person."""
    markup(
        f"[bold]run {escape(run['run_id'])}[/]  {escape(run.get('playbook') or '')}  {styled(run['status'])}"
    )
    if run.get("message"):
        say(f"  {run['message']}")
    say(
        f"  revision  {(run.get('revision') or '')[:12]}   by {run.get('actor') or run.get('via') or 'alert'}"
    )
    say(
        f"  started   {moment(run.get('started_at_ms'))}   took {span(run.get('duration_ms')) or 'not ended'}"
    )
    if run.get("alert_id"):
        say(f"  alert     {run['alert_id']}")
    rows = [_step_row(step) for step in run.get("steps", [])]
    show_rows(rows, ("step", "status", "attempts", "took", "result"), False, "  no steps yet")
    for published in run.get("publications", []):
        sent = published.get("sent") or {}
        say(f"  told Datadog: {sent.get('title', '')}  ({published.get('event_id') or 'refused'})")
    if run.get("outputs"):
        say("  outputs   " + json.dumps(run["outputs"], ensure_ascii=False))


def _step_row(step: dict[str, Any]) -> dict[str, Any]:
    if step.get("error"):
        result = f"{step['error']['kind']}: {step['error']['message']}"
    elif step.get("output") is not None:
        result = json.dumps(step["output"], ensure_ascii=False)
    else:
        result = step.get("reason") or ""
    return {
        "step": step["step"],
        "status": step["status"],
        "attempts": step.get("attempts") or "",
        "took": span(step.get("duration_ms")),
        "result": result if len(result) <= 200 else result[:200] + "…",
    }


@app.command()
def watch(run_id: str, as_json: JsonOption = False) -> None:
    """Follow a run live until it ends."""
    status = ""
    for name, data in client.events(f"/api/v1/runs/{run_id}/stream"):
        if as_json:
            document({"event": name, **data} if isinstance(data, dict) else {"event": name, "data": data})
        elif name == "record":
            for event in data["events"]:
                say(f"{moment(data['at_ms'])}  {event_line(event)}")
        if name == "end":
            status = data["status"]
            break
    if not as_json:
        markup(f"run {escape(run_id)} {styled(status)}")
    if status != "succeeded":
        raise typer.Exit(ANSWER_IS_NO)


def event_line(event: dict[str, Any]) -> str:
    """One event of a journal record in a line."""
    rest = [
        str(event[name])
        for name in ("step", "status", "kind", "title", "message", "reason")
        if event.get(name)
    ]
    if event.get("output") is not None:
        rest.append(json.dumps(event["output"], ensure_ascii=False)[:160])
    if event.get("due_ms"):
        rest.append(f"due {moment(event['due_ms'])}")
    return f"{event['type']:<20} " + "  ".join(rest)


@app.command()
def cancel(
    run_id: Annotated[str, typer.Argument(help="The run; or use --playbook for many.")] = "",
    playbook: Annotated[str, typer.Option(help="Cancel all runs of this playbook.")] = "",
    status: Annotated[str, typer.Option(help="With --playbook: only runs of this status.")] = "running",
    reason: str = "",
) -> None:
    """Ask a run to stop: its running step is stopped, its `finally` steps still run."""
    if bool(run_id) == bool(playbook):
        fail("give either a run id or --playbook", WRONG_USE)
    ids = [run_id]
    if playbook:
        rows = client.pages("/api/v1/runs", {"status": status, "playbook": playbook}, 100_000)
        ids = [row["run_id"] for row in rows]
    for each in ids:
        client.call("POST", f"/api/v1/runs/{each}/cancel", body={"reason": reason})
        say(f"run {each}: cancel requested")
    if not ids:
        say(f"no {status} runs of {playbook}")
