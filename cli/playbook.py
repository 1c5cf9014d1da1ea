"""`pulsebook playbook`: check playbook files, apply them, see what is active."""

import difflib
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from cli import client
from cli.output import ANSWER_IS_NO, WRONG_USE, JsonOption, document, fail, markup, say, show_rows

app = typer.Typer(no_args_is_help=True, help="Check, apply and list playbooks.")
Paths = Annotated[list[Path], typer.Argument(help="Playbook files, or folders of them.")]
ENDINGS = (".yaml", ".yml")


def playbook_files(paths: list[Path]) -> list[Path]:
    """All playbook files under these paths, sorted; tests (`*.test.yaml`) are left out."""
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = (file for file in path.rglob("*") if file.is_file() and file.suffix in ENDINGS)
            found += sorted(file for file in inside if not file.stem.endswith(".test"))
        elif path.is_file():
            found.append(path)
        else:
            fail(f"{path}: no such file or folder", WRONG_USE)
    return found


@app.command()
def lint(paths: Paths, as_json: JsonOption = False) -> None:
    """Check playbook files. Needs nothing that runs; exit code 1 where there is an error."""
    from engine.playbook.reading import Problem

    problems: list[Problem] = []
    files = playbook_files(paths)
    for file in files:
        problems += _problems(file)
    errors = sum(problem.severity == "error" for problem in problems)
    for problem in problems:
        if as_json:
            document(
                {
                    "file": problem.file,
                    "line": problem.line,
                    "column": problem.column,
                    "severity": problem.severity,
                    "message": problem.message,
                    "fix": problem.fix,
                }
            )
        else:
            markup(
                f"[{'red' if problem.severity == 'error' else 'yellow'}]{problem.severity}[/] {escape(str(problem))}"
            )
    if not as_json:
        say(f"{len(files)} playbook files, {errors} errors, {len(problems) - errors} warnings")
    if errors:
        raise typer.Exit(ANSWER_IS_NO)
    if not files:
        fail("no playbook files (*.yaml) found", WRONG_USE)


def _problems(file: Path) -> tuple[Any, ...]:
    from connectors.actions.registry import specs
    from engine.playbook.reading import Problem, read

    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        return (Problem(str(file), 1, 1, f"cannot be read: {error}", "save it as UTF-8 text", "error"),)
    return read(text, str(file), specs()).problems


@app.command()
def apply(
    paths: Paths,
    prune: Annotated[
        bool, typer.Option("--prune", help="Remove active playbooks that are not in these files.")
    ] = False,
    reason: Annotated[str, typer.Option(help="Why, for the record.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Make these playbooks the active ones. A file with errors changes nothing; the others are applied."""
    refused = 0
    named: set[str] = set()
    for file in playbook_files(paths):
        answer = apply_file(file, reason)
        named.add(answer.get("name", ""))
        refused += answer["outcome"] == "refused"
        if as_json:
            document({"file": str(file), **answer})
        else:
            show_applied(file, answer)
    if prune and not refused:
        for playbook in client.call("GET", "/api/v1/playbooks")["items"]:
            if playbook["name"] not in named:
                client.call(
                    "DELETE", f"/api/v1/playbooks/{playbook['name']}", query={"reason": reason or "prune"}
                )
                say(f"{playbook['name']}: removed")
    if refused:
        raise typer.Exit(ANSWER_IS_NO)


def apply_file(file: Path, reason: str = "") -> dict[str, Any]:
    """Apply one file: {"outcome": applied | unchanged | refused, "name", "digest", "problems"}."""
    body = {"source": file.read_text(encoding="utf-8", errors="replace"), "file": str(file), "reason": reason}
    answer: dict[str, Any] = client.call("POST", "/api/v1/playbooks", body=body, allow=(422,))
    if answer.get("status") == 422:
        return {"outcome": "refused", "problems": answer.get("problems", [])}
    return answer


def show_applied(file: Path, answer: dict[str, Any]) -> None:
    """One line for what became of a file, and its problems."""
    for problem in answer.get("problems", []):
        place = f"{problem['file']}:{problem['line']}:{problem['column']}"
        fix = f" ({problem['fix']})" if problem.get("fix") else ""
        say(f"{problem['severity']} {place}: {problem['message']}{fix}")
    if answer["outcome"] == "refused":
        say(f"{file}: refused, nothing changed")
    else:
        say(f"{answer['name']}: {answer['outcome']}, revision {answer['digest'][:12]}")


@app.command()
def diff(paths: Paths) -> None:
    """What applying these files would change; exit code 1 where anything would."""
    active = {item["name"]: item for item in client.call("GET", "/api/v1/playbooks")["items"]}
    changed = False
    for file in playbook_files(paths):
        name, digest = _identity(file)
        held = active.get(name)
        if held and held["digest"] == digest:
            continue
        changed = True
        if not held:
            say(f"+ {name}: new ({file})")
            continue
        old = client.call("GET", f"/api/v1/playbooks/{name}")["source"]
        lines = difflib.unified_diff(
            old.splitlines(),
            file.read_text(encoding="utf-8").splitlines(),
            f"active {name}",
            str(file),
            lineterm="",
        )
        for line in lines:
            say(line)
    if changed:
        raise typer.Exit(ANSWER_IS_NO)
    say("nothing would change")


def _identity(file: Path) -> tuple[str, str]:
    from connectors.actions.registry import specs
    from engine.playbook.canonical import digest
    from engine.playbook.reading import read

    outcome = read(file.read_text(encoding="utf-8"), str(file), specs())
    if outcome.playbook is None:
        fail("\n".join(str(problem) for problem in outcome.problems))
    return outcome.playbook.name, digest(outcome.playbook)


@app.command("list")
def list_playbooks(as_json: JsonOption = False) -> None:
    """Active playbooks."""
    rows = client.call("GET", "/api/v1/playbooks")["items"]
    for row in rows:
        row["revision"] = row["digest"][:12]
    columns = ("name", "enabled", "revision", "owner", "description", "at_ms")
    show_rows(rows, columns, as_json, "no playbooks yet; try: pulsebook playbook apply playbooks/")


@app.command()
def show(name: str, as_json: JsonOption = False) -> None:
    """The active revision of a playbook, as it was applied."""
    playbook = client.call("GET", f"/api/v1/playbooks/{name}")
    if as_json:
        document(playbook)
        return
    state = "enabled" if playbook["enabled"] else "DISABLED"
    say(f"# {name}, {state}, revision {playbook['digest']}, by {playbook['actor']}")
    say(playbook["source"].rstrip())


@app.command()
def enable(name: str, reason: str = "") -> None:
    """Let a playbook start again."""
    client.call("POST", f"/api/v1/playbooks/{name}/enable", body={"reason": reason})
    say(f"{name}: enabled")


@app.command()
def disable(name: str, reason: str = "") -> None:
    """Let a playbook start nothing new; alerts are recorded as held back."""
    client.call("POST", f"/api/v1/playbooks/{name}/disable", body={"reason": reason})
    say(f"{name}: disabled")
