"""`pulsebook pause`, `resume`: nothing new starts, of one playbook or of all; alerts are held back then."""

from typing import Annotated, Any

import typer

from cli import client
from cli.output import ANSWER_IS_NO, WRONG_USE, JsonOption, document, fail, say

Name = Annotated[
    str, typer.Argument(metavar="[PLAYBOOK]", help="The playbook; or --all.", show_default=False)
]
All = Annotated[bool, typer.Option("--all", help="All playbooks, also those that are applied later.")]
Why = Annotated[str, typer.Option(help="Why, for the record.")]


def pause(playbook: Name = "", every: All = False, reason: Why = "", as_json: JsonOption = False) -> None:
    """Let nothing new start: alerts that match are held back, what waits goes on waiting, runs go on."""
    answer = _call("pause", playbook, every, reason)
    if as_json:
        document(answer)
        return
    say(f"{playbook or 'all playbooks'}: paused, {_by(answer['everything'] if every else answer['paused'])}")
    say(f"to go on: pulsebook resume {playbook or '--all'}")


def resume(playbook: Name = "", every: All = False, reason: Why = "", as_json: JsonOption = False) -> None:
    """Lift a pause; what waits in the queue starts. Exit code 1 where another pause still holds."""
    answer = _call("resume", playbook, every, reason)
    still = None if every else answer["paused"]
    if as_json:
        document(answer)
    elif still:
        say(f"{playbook}: still paused, as all playbooks are, {_by(still)}: pulsebook resume --all")
    else:
        say(f"{playbook or 'all playbooks'}: resumed")
        alone = answer["playbooks"] if every else ()
        if alone:
            say(f"still paused by themselves: {', '.join(alone)}")
    if still:
        raise typer.Exit(ANSWER_IS_NO)


def _call(what: str, playbook: str, every: bool, reason: str) -> dict[str, Any]:
    if bool(playbook) == every:
        fail("give either a PLAYBOOK or --all", WRONG_USE)
    path = client.at(what) if every else client.at("playbooks", playbook, what)
    answer: dict[str, Any] = client.call("POST", path, body={"reason": reason})
    return answer


def _by(pause: dict[str, Any]) -> str:
    return f"by {pause['actor']}{': ' if pause['reason'] else ''}{pause['reason']}"
