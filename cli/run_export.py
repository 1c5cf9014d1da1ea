"""`pulsebook run export-test`: a real run as a test of its playbook."""

from pathlib import Path
from typing import Annotated, Any

import typer

from cli import client
from cli.output import ANSWER_IS_NO, WRONG_USE, JsonOption, document, fail, say


def export_test(
    run_id: Annotated[
        str, typer.Argument(metavar="RUN_ID", help="A run that has ended.", show_default=False)
    ],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Write it there, not to standard output."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Turn a run into a test of its playbook: what its steps were told, and what came of it."""
    from engine.simulation.exporting import CannotExport, exported

    try:
        text = exported(_journal(run_id))
    except CannotExport as why:
        fail(str(why), ANSWER_IS_NO)
    if output is not None:
        try:
            with output.open("x", encoding="utf-8") as file:
                file.write(text)
        except FileExistsError:
            fail(f"{output} is there already; give another name with -o", WRONG_USE)
        except OSError as error:
            fail(f"{output} cannot be written: {error}", WRONG_USE)
    if as_json:
        document({"run_id": run_id, "test": text, "file": None if output is None else str(output)})
    elif output is None:
        say(text.rstrip("\n"))
    else:
        say(f"{output} written; put it beside its playbook, and: pulsebook playbook test {output.parent}")


def _journal(run_id: str) -> list[Any]:
    """The run's journal records, from the API."""
    import msgspec

    from schemas.events import EVENT_TYPES, JournalRecord, RunEvent

    kinds: dict[str, Any] = {kind.__name__: kind for kind in EVENT_TYPES}
    records: list[Any] = []
    after_seq: int | None = 0
    while after_seq is not None:
        page = client.call("GET", client.at("runs", run_id, "events"), query={"after_seq": after_seq})
        for item in page["items"]:
            events: list[RunEvent] = [
                msgspec.convert({name: value for name, value in event.items() if name != "type"}, kind)
                for event in item["events"]
                if (kind := kinds.get(event["type"])) is not None
            ]
            topic, partition, offset = item["cause"].rsplit("/", 2)
            records.append(
                JournalRecord(
                    run_id=run_id,
                    playbook="",
                    seq=item["seq"],
                    cause_topic=topic,
                    cause_partition=int(partition),
                    cause_offset=int(offset),
                    at_ms=item["at_ms"],
                    events=tuple(events),
                )
            )
        after_seq = page["next_seq"]
    return records
