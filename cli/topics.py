"""`pulsebook topics`: make the topics of a prefix, or say what is wrong with them."""

import asyncio

import typer

from cli.composing import check_prefix, found_kafka, load_settings, make_topics, plan
from cli.output import ANSWER_IS_NO, CANNOT_REACH, JsonOption, document, fail, say
from connectors.errors import ConnectorError

app = typer.Typer(no_args_is_help=True, help="Make or verify topics.")


@app.command()
def create(as_json: JsonOption = False) -> None:
    """Make the topics that are missing. What is there already is not changed."""
    settings = found_kafka(load_settings())
    made = asyncio.run(make_topics(settings))
    for name in made:
        document({"made": name}) if as_json else say(f"made {name}")
    if not as_json:
        say(f"{len(plan(settings)) - len(made)} of {len(plan(settings))} were there already")


@app.command()
def check(as_json: JsonOption = False) -> None:
    """Say every difference between the topics and how they should be; exit code 1 where there is one."""
    settings = found_kafka(load_settings())
    try:
        problems = asyncio.run(check_prefix(settings))
    except ConnectorError as error:
        fail(str(error), CANNOT_REACH)
    for problem in problems:
        document({"problem": problem}) if as_json else say(problem)
    if problems:
        raise typer.Exit(ANSWER_IS_NO)
    if not as_json:
        say(f"all {len(plan(settings))} topics of {settings.topic_prefix} are as they should be")
