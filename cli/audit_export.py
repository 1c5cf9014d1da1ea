"""`pulsebook audit export`: the topics of a period as one file that proves itself."""

import asyncio
import errno
import time
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import msgspec
import typer

from audit.export.exporting import export as export_rest
from audit.export.manifest import Manifest
from audit.export.part_file import CannotExport, PartFile, opened
from audit.export.plan import Selection, planned
from audit.export.selecting import Selected, selected
from cli.audit_crew import audit_log
from cli.audit_progress import Moved, progress_bar
from cli.composing import found_kafka, load_settings
from cli.output import ANSWER_IS_NO, CANNOT_REACH, WRONG_USE, JsonOption, document, fail, say, warn
from cli.period import SinceOption, UntilOption, period_ms
from connectors.errors import ConnectorError
from connectors.topic_ids import topic_ids
from schemas.avro_container import DEFLATE, ZSTD
from schemas.topics import TOPICS
from settings import Settings

CodecName = Literal["deflate", "zstd"]
CODECS = {"deflate": DEFLATE, "zstd": ZSTD}
INTERRUPTED = 130
NO_ROOM = (errno.ENOSPC, errno.EDQUOT)

File = Annotated[Path, typer.Argument(metavar="FILE", help="Where to: FILE.avro.", show_default=False)]
Runs = Annotated[
    list[str] | None, typer.Option("--run", metavar="ID", help="Only what belongs to this run, or these.")
]
Alerts = Annotated[
    list[str] | None, typer.Option("--alert", metavar="ID", help="Only this alert and all that followed.")
]
Playbooks = Annotated[
    list[str] | None, typer.Option("--playbook", metavar="NAME", help="Only this playbook and its runs.")
]
Codec = Annotated[
    str,
    typer.Option(help=f"How it is packed: {', '.join(get_args(CodecName))}. Every Avro tool reads deflate."),
]
Force = Annotated[bool, typer.Option("--force", help="Begin anew, whatever is there.")]


def export(
    file: File,
    since: SinceOption = None,
    until: UntilOption = None,
    run: Runs = None,
    alert: Alerts = None,
    playbook: Playbooks = None,
    codec: Codec = "deflate",
    force: Force = False,
    as_json: JsonOption = False,
) -> None:
    """Write all records of a period into an Avro file under a hash chain, with a manifest beside it.

    Interrupted, the same command goes on where it was. The last line is the head: keep it where the file is
    not.
    """
    if codec not in CODECS:
        fail(f"--codec {codec} is none of {', '.join(CODECS)}", WRONG_USE)
    if not file.parent.is_dir():
        fail(f"there is no folder {file.parent}", WRONG_USE)
    period = period_ms(since, until)
    settings = found_kafka(load_settings())
    selection = Selection(*(tuple(sorted(set(each or ()))) for each in (run, alert, playbook)))
    asked = {
        "prefix": settings.topic_prefix,
        "since": since,
        "until": until,
        **msgspec.to_builtins(selection),
        "codec": codec,
    }
    asked = msgspec.json.decode(msgspec.json.encode(asked))
    try:
        part = opened(file, asked, anew=force)
    except CannotExport as error:
        fail(str(error), WRONG_USE)
    except OSError as error:
        fail(f"{file} cannot be written: {error.strerror}", WRONG_USE)
    try:
        with progress_bar("exporting") as moved:
            made = asyncio.run(_export(part, settings, period, selection, asked, moved, as_json))
    except CannotExport as error:
        fail(str(error), WRONG_USE)
    except ConnectorError as error:
        fail(f"{error}; the same command goes on from here", CANNOT_REACH)
    except OSError as error:
        why = "there is no room left" if error.errno in NO_ROOM else error.strerror
        fail(f"{file} cannot be written: {why}; the same command goes on from here", CANNOT_REACH)
    except KeyboardInterrupt:
        records = part.note.counts.records if part.note else 0
        fail(f"interrupted behind record {records}; the same command goes on from here", INTERRUPTED)
    finally:
        part.close()
    _show(made, file, as_json)


async def _export(
    part: PartFile,
    settings: Settings,
    period: tuple[int | None, int | None],
    selection: Selection,
    asked: dict[str, Any],
    moved: Moved,
    as_json: bool,
) -> Manifest:
    log, prefix = audit_log(settings), settings.topic_prefix
    found = await topic_ids(settings.kafka_options(), [prefix + topic.name for topic in TOPICS])
    ids = {topic.name: found[prefix + topic.name] for topic in TOPICS if prefix + topic.name in found}
    chosen = None
    if part.note is None:
        began_ms = time.time_ns() // 1_000_000
        plan = await planned(log, ids, prefix, *period, selection)
        if plan.selection:
            chosen = await selected(log, plan)
            _refuse_unknown(chosen)
        part.begin(asked, plan, CODECS[asked["codec"]], began_ms)
    elif not as_json:
        warn(f"going on with {part.file}, from record {part.kept.counts.records + 1}")
    await export_rest(log, part, ids, moved, chosen)
    return part.finish(version("pulsebook"), time.time_ns() // 1_000_000)


def _refuse_unknown(chosen: Selected) -> None:
    """A slip in an id would else make a file with nothing in it, which looks as one of what was meant."""
    if chosen.not_met:
        fail(
            f"nothing is on record of {', '.join(chosen.not_met)}, as far as that is kept and in the period; "
            "nothing was exported. Ids are those of `alert list`, `alert trace` and `run list`",
            ANSWER_IS_NO,
        )


def _show(made: Manifest, file: Path, as_json: bool) -> None:
    for lost in made.lost:
        warn(
            f"{lost.topic}/{lost.partition}: offsets {lost.first} to {lost.last} went out of retention "
            "before they were read"
        )
    if as_json:
        document(msgspec.to_builtins(made))
        return
    for topic, partitions in made.topics.items():
        say(f"{topic:<14}{sum(each.records for each in partitions.values()):>12}")
    say(f"{made.records} records in {file} ({made.file_bytes} bytes), manifest beside it")
    say("Keep the head where the file is not: `pulsebook audit verify FILE --head HEAD` compares it.")
    say(f"head {made.head}")
