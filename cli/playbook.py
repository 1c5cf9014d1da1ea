"""`pulsebook playbook`: check playbook files, apply them, see what is active."""

import enum
from pathlib import Path
from typing import Annotated, Any

import typer

from cli import client, playbook_import
from cli.output import ANSWER_IS_NO, WRONG_USE, JsonOption, document, fail, moment, say
from cli.playbook_editor import new, schema
from cli.tables import show_rows

app = typer.Typer(no_args_is_help=True, help="Check, apply and list playbooks.")
app.command()(new)
app.command()(schema)
app.add_typer(playbook_import.app, name="import")
Paths = Annotated[
    list[Path],
    typer.Argument(metavar="PATH...", help="Playbook files, or folders of them.", show_default=False),
]
Name = Annotated[str, typer.Argument(metavar="NAME", help="The playbook's name.", show_default=False)]
EARLIER_SHOWN = 5
Why = Annotated[str, typer.Option(help="Why, for the record.")]


def _files(paths: list[Path]) -> list[Path]:
    from cli.playbook_files import named_files

    return named_files(paths)


class Format(enum.StrEnum):
    """How problems are written for people and for CI."""

    text = "text"
    github = "github"


@app.command()
def lint(
    paths: Paths,
    format_: Annotated[
        Format, typer.Option("--format", help="github: annotations of GitHub Actions, beside the lines.")
    ] = Format.text,
    as_json: JsonOption = False,
) -> None:
    """Check playbook files, and what they have to do with each other; exit code 1 where there is an error.

    Needs nothing that runs.
    """
    import msgspec

    from cli.composing import load_settings, playbook_limits, secret_names
    from cli.playbook_files import github_line, problem_line, problems_of

    files = _files(paths)
    settings = load_settings()
    found = problems_of(files, playbook_limits(settings), secret_names(settings))
    line_of = github_line if format_ is Format.github else problem_line
    for problem in found:
        each = msgspec.to_builtins(problem)
        document(each) if as_json else say(line_of(each))
    errors = sum(problem.severity == "error" for problem in found)
    if not as_json:
        counts = (_counted(len(files), "playbook file"), _counted(errors, "error"))
        say(", ".join((*counts, _counted(len(found) - errors, "warning"))))
    if errors:
        raise typer.Exit(ANSWER_IS_NO)


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


@app.command()
def apply(
    paths: Paths,
    prune: Annotated[
        bool, typer.Option("--prune", help="Remove active playbooks that are not in these files.")
    ] = False,
    reason: Why = "",
    as_json: JsonOption = False,
) -> None:
    """Make these playbooks the active ones. A file with errors changes nothing; the others are applied."""
    refused = 0
    named: set[str] = set()
    for file in _files(paths):
        answer = _applied(file, reason)
        named.add(answer.get("name", ""))
        refused += answer["outcome"] == "refused"
        _show_applied(file, answer, as_json)
    if prune and refused:
        fail("nothing was removed, because a file was refused")
    for playbook in client.call("GET", "/api/v1/playbooks")["items"] if prune else ():
        if (name := playbook["name"]) not in named:
            query = {"reason": reason or "not among the files that were applied"}
            client.call("DELETE", client.at("playbooks", name), query=query)
            document({"outcome": "removed", "name": name}) if as_json else say(f"{name}: removed")
    if refused:
        raise typer.Exit(ANSWER_IS_NO)


def _applied(file: Path, reason: str) -> dict[str, Any]:
    """{"outcome": applied | unchanged | refused, "name", "digest", "problems"}."""
    body = {**_source(file), "reason": reason}
    answer: dict[str, Any] = client.call("POST", "/api/v1/playbooks", body=body, allow=(422,))
    return answer if "outcome" in answer else _refused(answer)


def _source(file: Path) -> dict[str, str]:
    try:
        return {"source": file.read_text(encoding="utf-8"), "file": str(file)}
    except (OSError, UnicodeDecodeError) as error:
        fail(f"{file} cannot be read: {error}", WRONG_USE)


def _refused(answer: dict[str, Any]) -> dict[str, Any]:
    problems = answer.get("problems") or []
    return {
        "outcome": "refused",
        "problems": problems,
        "detail": "" if problems else answer.get("detail", ""),
    }


def _show_applied(file: Path, answer: dict[str, Any], as_json: bool) -> None:
    from cli.playbook_files import problem_line

    if as_json:
        document({"file": str(file), **answer})
        return
    for problem in answer.get("problems", []):
        say(problem_line(problem))
    if answer["outcome"] == "refused":
        say(f"{file}: refused, nothing changed{': ' if answer['detail'] else ''}{answer['detail']}")
    else:
        say(f"{answer['name']}: {answer['outcome']}, revision {answer['digest'][:12]}")


@app.command()
def diff(paths: Paths, as_json: JsonOption = False) -> None:
    """What applying these files would change; exit code 1 where anything would."""
    different = False
    for file in _files(paths):
        answer = client.call("POST", "/api/v1/playbooks/diff", body=_source(file), allow=(422,))
        if "outcome" not in answer:
            answer = _refused(answer)
            _show_applied(file, answer, as_json)
        elif as_json:
            document({"file": str(file), **answer})
        elif answer["outcome"] == "new":
            say(f"+ {answer['name']}: new ({file})")
        elif answer["diff"] or answer["outcome"] == "changed":
            say(answer["diff"] or f"{answer['name']}: changed")
        different |= answer["outcome"] != "unchanged"
    if different:
        raise typer.Exit(ANSWER_IS_NO)
    if not as_json:
        say("nothing would change")


@app.command("list")
def list_playbooks(as_json: JsonOption = False) -> None:
    """Active playbooks."""
    rows = client.call("GET", "/api/v1/playbooks")["items"]
    if not as_json:
        for row in rows:
            row["revision"] = row["digest"][:12]
            row["paused"] = bool(row["paused"])
    columns = ("name", "enabled", "paused", "revision", "owner", "at_ms", "description")
    show_rows(rows, columns, as_json, "no playbooks yet; try: pulsebook playbook apply playbooks/")


@app.command()
def show(name: Name, as_json: JsonOption = False) -> None:
    """The active revision of a playbook, as it was applied."""
    playbook = client.call("GET", client.at("playbooks", name))
    if as_json:
        document(playbook)
        return
    state = "enabled" if playbook["enabled"] else "DISABLED"
    if pause := playbook["paused"]:
        state += f", PAUSED by {pause['actor']}"
    say(f"# {name}, {state}, revision {playbook['digest']}, by {playbook['actor']}")
    for earlier in playbook["earlier"][:EARLIER_SHOWN]:
        why = f": {earlier['reason']}" if earlier["reason"] else ""
        say(f"# before: {earlier['digest'][:12]}, {moment(earlier['at_ms'])}, by {earlier['actor']}{why}")
    say(playbook["source"].rstrip())


@app.command()
def enable(name: Name, reason: Why = "", as_json: JsonOption = False) -> None:
    """Let a playbook start again."""
    answer = client.call("POST", client.at("playbooks", name, "enable"), body={"reason": reason})
    document(answer) if as_json else say(f"{name}: enabled")


@app.command()
def disable(name: Name, reason: Why = "", as_json: JsonOption = False) -> None:
    """Let a playbook start nothing new; alerts are then recorded as not matched: it is disabled."""
    answer = client.call("POST", client.at("playbooks", name, "disable"), body={"reason": reason})
    document(answer) if as_json else say(f"{name}: disabled")


@app.command()
def rollback(
    name: Name,
    to: Annotated[
        str, typer.Option("--to", metavar="REVISION", help="Which one; else that before.", show_default=False)
    ] = "",
    reason: Why = "",
    as_json: JsonOption = False,
) -> None:
    """Make an earlier revision active again; `playbook show` lists them. Runs in flight go on as they are."""
    body = {"to": to, "reason": reason}
    answer = client.call("POST", client.at("playbooks", name, "rollback"), body=body, allow=(422,))
    if "outcome" not in answer:
        fail(answer.get("detail", ""))
    document(answer) if as_json else say(f"{name}: {answer['outcome']}, revision {answer['digest'][:12]}")
