"""`pulsebook deadletter`: what could not be handled, why, and what is done about it."""

from typing import Annotated, Any

import typer

from cli import client
from cli.output import ANSWER_IS_NO, WRONG_USE, JsonOption, document, fail, moment, say
from cli.tables import show_rows

app = typer.Typer(
    no_args_is_help=True, help="What could not be handled: list it, show it, put it back, drop it."
)
MANY = 100_000
VALUE_SHOWN_MAX = 2_000
LetterId = Annotated[
    str, typer.Argument(metavar="ID", help="Its id, as `list` shows it.", show_default=False)
]
OneOrMany = Annotated[
    str, typer.Argument(metavar="[ID]", help="The letter; or filters for many.", show_default=False)
]
Topic = Annotated[str, typer.Option(help="Only letters that came from this topic.")]
Stage = Annotated[str, typer.Option(help="Only letters that this stage gave up: match, admit, …")]
Matching = Annotated[str, typer.Option(metavar="TEXT", help="Only letters whose reason holds this text.")]
Yes = Annotated[bool, typer.Option("--yes", help="Of many: do it, without being asked.")]
Why = Annotated[str, typer.Option(help="Why, for the record.")]
Again = Annotated[bool, typer.Option("--again", help="Also if somebody has dealt with it already.")]


@app.command("list")
def list_dead_letters(
    everything: Annotated[
        bool, typer.Option("--all", help="Also what was redriven or dropped already.")
    ] = False,
    topic: Topic = "",
    stage: Stage = "",
    matching: Matching = "",
    limit: Annotated[int, typer.Option(min=1, help="How many, the latest first.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """The latest dead letters that are open; with --all, all of them."""
    query = _query(topic, stage, matching, None if everything else "open")
    rows = client.pages("/api/v1/dead-letters", query, limit)
    columns = ("id", "at_ms", "stage", "topic", *(("state",) if everything else ()), "reason")
    none = "no such dead letters" if topic or stage or matching else "no dead letters"
    show_rows(rows, columns, as_json, none if everything else f"{none} are open")


@app.command()
def show(dead_letter_id: LetterId, as_json: JsonOption = False) -> None:
    """One dead letter, with the message as it came and what was done about it."""
    letter = client.call("GET", client.at("dead-letters", dead_letter_id))
    if as_json:
        document(letter)
        return
    say(f"dead letter {letter['id']}  {moment(letter['at_ms'])}  given up by {letter['stage']}")
    say(f"from    {letter['topic']}/{letter['partition']}/{letter['offset']}  key {letter.get('key')}")
    say(f"reason  {letter['reason']}")
    if letter.get("detail"):
        say(f"detail  {letter['detail']}")
    for name, value in (letter.get("headers") or {}).items():
        say(f"header  {name}: {value}")
    for done in letter.get("handled", []):
        say(f"done    {moment(done['at_ms'])}  {_done(done)}")
    if letter.get("cannot_be_redriven"):
        say(f"note    cannot be redriven: {letter['cannot_be_redriven']}")
    say(f"value   {_value(letter)}")


def _value(letter: dict[str, Any]) -> str:
    """What the message says, in the form in which the API could read it, and no more than a screen of it."""
    size, shown = f"{letter['value_bytes']} bytes", letter["value"]
    what = {"nothing": "none", "text": size, "binary": f"{size}, in hexadecimal"}
    head = what.get(letter["value_form"], f"{letter['value_record']}, {size}")
    more = f" … ({len(shown)} characters; --json shows all)" if len(shown) > VALUE_SHOWN_MAX else ""
    return f"{head}\n{shown[:VALUE_SHOWN_MAX]}{more}".rstrip()


@app.command()
def redrive(
    dead_letter_id: OneOrMany = "",
    topic: Topic = "",
    stage: Stage = "",
    matching: Matching = "",
    yes: Yes = False,
    reason: Why = "",
    again: Again = False,
    as_json: JsonOption = False,
) -> None:
    """Put a message back where it came from, as a new input; of many, the oldest first."""
    ids = _chosen("redrive", dead_letter_id, _query(topic, stage, matching, "open"), yes)
    _handle("redrive", ids, {"reason": reason, "again": again}, as_json, bool(dead_letter_id))


@app.command()
def drop(
    dead_letter_id: OneOrMany = "",
    topic: Topic = "",
    stage: Stage = "",
    matching: Matching = "",
    yes: Yes = False,
    reason: Why = "",
    again: Again = False,
    as_json: JsonOption = False,
) -> None:
    """Record that nothing more is to be done about a dead letter. It stays on its topic."""
    ids = _chosen("drop", dead_letter_id, _query(topic, stage, matching, "open"), yes)
    _handle("drop", ids, {"reason": reason, "again": again}, as_json, bool(dead_letter_id))


def _query(topic: str, stage: str, matching: str, state: str | None) -> dict[str, str | None]:
    return {"topic": topic or None, "stage": stage or None, "reason": matching or None, "state": state}


def _chosen(verb: str, letter_id: str, query: dict[str, str | None], yes: bool) -> list[str]:
    """The ids, the oldest first. Ends the command unless one is named or many were agreed to."""
    filters = {name: value for name, value in query.items() if value and name != "state"}
    if bool(letter_id) == bool(filters):
        fail("give either an ID, or filters for many: --topic, --stage, --matching", WRONG_USE)
    if letter_id:
        return [letter_id]
    ids = [row["id"] for row in client.pages("/api/v1/dead-letters", query, MANY)]
    if not yes and ids:
        one = len(ids) == 1
        fail(
            f"{len(ids)} open dead letter{'' if one else 's'} match{'es' if one else ''}; "
            f"nothing was done: say --yes to {verb} {'it' if one else 'them'}",
            ANSWER_IS_NO,
        )
    if not ids:
        say("no such dead letters are open")
    return ids[::-1]


def _handle(verb: str, ids: list[str], body: dict[str, Any], as_json: bool, named: bool) -> None:
    # Of many, one that cannot be redriven, or that somebody else dealt with meanwhile, stops no other.
    allow = () if named else (404, 409, 422)
    refused = 0
    for each in ids:
        answer = client.call("POST", client.at("dead-letters", each, verb), body=body, allow=allow)
        refused += "outcome" not in answer or "detail" in answer
        if as_json:
            document(answer)
        else:
            say(f"dead letter {each}: {answer.get('detail') or _done(answer)}")
    if not named and ids and not as_json:
        say(f"{len(ids) - refused} of {len(ids)} {'redriven' if verb == 'redrive' else 'dropped'}")
    if refused:
        raise typer.Exit(ANSWER_IS_NO)


def _done(done: dict[str, Any]) -> str:
    where = f", lies at {done['lies_at']}" if done.get("lies_at") else ""
    why = f": {done['reason']}" if done.get("reason") else ""
    return f"{done['outcome']} by {done['actor']}{where}{why}"
