"""`pulsebook run`: start, list, show, watch, answer, rerun, cancel. How one is shown is `cli.run_shown`."""

import time
from typing import Annotated, Any

import typer
from rich.markup import escape

from cli import client
from cli.following import follow
from cli.output import (
    ANSWER_IS_NO,
    CANNOT_REACH,
    WRONG_USE,
    JsonOption,
    document,
    fail,
    markup,
    moment,
    say,
    span,
    styled,
)
from cli.period import period_ms
from cli.run_export import export_test
from cli.run_shown import answer_command, event_line, show_run
from cli.tables import show_rows

app = typer.Typer(no_args_is_help=True, help="Start, list, show, watch, answer, rerun and cancel runs.")
app.command("export-test")(export_test)
ENDED = ("succeeded", "failed", "cancelled", "dropped", "expired", "refused", "held_back")
ASK_EVERY_S = 0.3
HEARD_OF_WITHIN_S = 30.0
"""How long a run that was just requested may take to be known to the API."""
RunId = Annotated[str, typer.Argument(metavar="RUN_ID", help="The run's id: r-…", show_default=False)]


@app.command()
def start(
    playbook: Annotated[str, typer.Argument(help="Name of a playbook that has `on.call`.")],
    inputs: Annotated[
        list[str] | None,
        typer.Option("-i", "--input", metavar="NAME=VALUE", help="An input; JSON for a list or a map."),
    ] = None,
    alert: Annotated[str, typer.Option(metavar="ALERT_ID", help="A recorded alert to start it with.")] = "",
    wait: Annotated[
        bool, typer.Option("--wait", help="Wait for the end; exit code 1 unless it succeeded.")
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


def _pair(text: str) -> tuple[str, str]:
    """Name and value as text: what type it is of is declared by the playbook."""
    name, equals, value = text.partition("=")
    if not equals or not name:
        fail(f"-i {text}: write it as NAME=VALUE", WRONG_USE)
    return name, value


def _wait_for_end(run_id: str) -> dict[str, Any]:
    unknown_until_s = time.monotonic() + HEARD_OF_WITHIN_S
    while True:
        run: dict[str, Any] = client.call("GET", client.at("runs", run_id), allow=(404,))
        if run.get("run_id"):
            if run["status"] in ENDED:
                return run
        elif time.monotonic() > unknown_until_s:
            fail(
                f"run {run_id} was requested, and nothing has been heard of it for {HEARD_OF_WITHIN_S:g} s: "
                "does the processor run? (pulsebook status)",
                CANNOT_REACH,
            )
        time.sleep(ASK_EVERY_S)


@app.command("list")
def list_runs(
    status: Annotated[str, typer.Option(help="Only runs of this status.")] = "",
    playbook: Annotated[str, typer.Option(help="Only runs of this playbook.")] = "",
    alert: Annotated[str, typer.Option(metavar="ALERT_ID", help="Only runs of this alert.")] = "",
    since: Annotated[str, typer.Option(help="Only runs since then: 2h, 7d, or ISO 8601 (UTC).")] = "",
    until: Annotated[str, typer.Option(help="Only runs from before then: the same.")] = "",
    limit: Annotated[int, typer.Option(min=1, help="How many, the latest first.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """The latest runs."""
    period_ms(since or None, until or None)
    query = {"status": status, "playbook": playbook, "alert_id": alert, "since": since, "until": until}
    rows = list(client.pages("/api/v1/runs", {name: value or None for name, value in query.items()}, limit))
    if not as_json:
        for row in rows:
            row["took"] = span(row.get("duration_ms"))
    columns = ("run_id", "playbook", "status", "started_at_ms", "took", "message")
    none = "no such runs" if any(query.values()) else "no runs yet; try: pulsebook alert send --example"
    show_rows(rows, columns, as_json, none)


@app.command()
def show(run_id: RunId, as_json: JsonOption = False) -> None:
    """One run: its steps with outputs, attempts and times, and what was published."""
    run = client.call("GET", client.at("runs", run_id))
    document(run) if as_json else show_run(run)


@app.command()
def watch(run_id: RunId, as_json: JsonOption = False) -> None:
    """Follow a run live until it ends; exit code 1 unless it succeeded."""
    end: dict[str, Any] = {"status": ""}
    for name, data in follow(client.at("runs", run_id, "stream")):
        if as_json:
            document({"event": name, **data})
        elif name == "record":
            for event in data["events"]:
                say(f"{moment(data['at_ms'])}  {event_line(event)}")
                if event["type"] == "StepAsked":
                    how = answer_command(run_id, event["step"], event["choices"][0])
                    say(f"{'':23}  answer with: {how}")
        if name == "end":
            end = data
    if not as_json:
        message = f": {escape(end['message'])}" if end.get("message") else ""
        markup(f"run {escape(run_id)} {styled(end['status'])}{message}")
    if end["status"] != "succeeded":
        raise typer.Exit(ANSWER_IS_NO)


@app.command()
def answer(
    run_id: RunId,
    step: Annotated[str, typer.Argument(help="The step that asks, as `run show` names it.")],
    choice: Annotated[str, typer.Argument(help="One of its choices.")],
    comment: Annotated[str, typer.Option(help="A remark, for the record.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Answer what a run asks; the first answer wins. `run show` says what is asked, and who may answer."""
    body = {"step": step, "choice": choice, "comment": comment}
    done = client.call("POST", client.at("runs", run_id, "answer"), body=body)
    document(done) if as_json else say(f"run {run_id}: the step {step} is answered with {choice}")


@app.command()
def rerun(
    run_id: RunId,
    from_step: Annotated[
        str,
        typer.Option("--from", help="The step to begin with; those before are not done again."),
    ] = "",
    latest: Annotated[
        bool, typer.Option("--latest", help="By the active revision, not the one that the run had pinned.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Do a run again with its alert and inputs, from a step on or from the beginning."""
    body = {"from_step": from_step, "latest": latest}
    done = client.call("POST", client.at("runs", run_id, "rerun"), body=body)
    document(done) if as_json else say(
        f"run {done['run_id']} requested; try: pulsebook run watch {done['run_id']}"
    )


@app.command()
def cancel(
    run_id: Annotated[
        str, typer.Argument(metavar="[RUN_ID]", help="The run; or --playbook for many.", show_default=False)
    ] = "",
    playbook: Annotated[str, typer.Option(help="Cancel all runs of this playbook.")] = "",
    status: Annotated[str, typer.Option(help="With --playbook: only runs of this status.")] = "running",
    reason: Annotated[str, typer.Option(help="Why, for the record.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Ask a run to stop: its step is stopped, its `finally` steps still run; one in the queue goes."""
    if bool(run_id) == bool(playbook):
        fail("give either a RUN_ID or --playbook", WRONG_USE)
    ids = [run_id]
    if playbook:
        rows = client.pages("/api/v1/runs", {"status": status, "playbook": playbook}, 100_000)
        ids = [row["run_id"] for row in rows]
    for each in ids:
        # Of many, some end by themselves before they are reached: that is no failure.
        allow = (409,) if playbook else ()
        answer = client.call("POST", client.at("runs", each, "cancel"), body={"reason": reason}, allow=allow)
        if as_json:
            document(answer)
        else:
            say(f"run {each}: {answer.get('detail') or 'cancel requested'}")
    if not ids and not as_json:
        say(f"no {status} runs of {playbook}")
