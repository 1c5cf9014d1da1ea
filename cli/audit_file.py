"""`pulsebook audit verify FILE`: how the verdict on an exported file is said."""

import re
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from audit.export.chain_file import Verdict, verify
from audit.export.exported_file import NotAnExport
from audit.export.file_log import FileLog
from cli.audit_progress import progress_bar
from cli.audit_replay import replay_file
from cli.output import ANSWER_IS_NO, WRONG_USE, document, fail, say, warn

FileArgument = Annotated[
    Path | None,
    typer.Argument(metavar="FILE", help="What `audit export` made; without one: Kafka.", show_default=False),
]
ReplayOption = Annotated[
    bool,
    typer.Option("--replay", help="With FILE: also make again what follows from its records, and compare."),
]
HeadOption = Annotated[
    str | None,
    typer.Option("--head", metavar="HASH", help="The head that `audit export` printed, kept elsewhere."),
]

HEAD_DIGITS = 64


def verify_file(path: Path, head: str | None, as_json: bool, replay: bool = False) -> None:
    """Verify a file and say the verdict; with `replay` also whether all in it follows. Ends the command:
    exit code 1 where anything is wrong, 2 where the file cannot be opened.
    """
    if head is not None and not re.fullmatch(rf"[0-9a-fA-F]{{{HEAD_DIGITS}}}", head.strip()):
        fail(f"--head {head} is no head: one has {HEAD_DIGITS} digits of 0 to 9 and a to f", WRONG_USE)
    if path.exists() and not path.is_file():
        fail(f"{path} cannot be read: it is no file", WRONG_USE)
    try:
        size = path.stat().st_size
        with progress_bar("verifying") as moved:
            log = FileLog(path) if replay else None
            seen = log.note if log else _not_noted
            verdict = verify(path, head, lambda done: moved(done, size), seen)
    except NotAnExport as error:
        fail(str(error))
    except OSError as error:
        fail(f"{error.filename or path} cannot be read: {error.strerror}", WRONG_USE)
    if as_json:
        document(msgspec.to_builtins(verdict))
    else:
        _show(verdict, head)
    if verdict.findings:
        raise typer.Exit(ANSWER_IS_NO)
    if log is not None:
        replay_file(log, as_json)


def _not_noted(*_: object) -> None:
    """Where no log is made of the file."""


def _show(verdict: Verdict, kept: str | None) -> None:
    """`kept`: the head that was given."""
    for topic, count in verdict.topics.items():
        say(f"{topic:<14}{count:>12}")
    for note in verdict.notes:
        warn(note)
    for finding in verdict.findings:
        say(f"{finding.kind}: {finding.text}")
    if verdict.head is not None:
        say(f"head {verdict.head}")
    elif verdict.export is not None:
        say("no head: the chain is broken")
    is_given = kept is not None and verdict.head is not None and kept.strip().lower() == verdict.head
    if not verdict.findings:
        manifest = ", as the manifest says" if verdict.manifest else ""
        given = "; the head is the one that was given" if is_given else ""
        say(f"{verdict.records} records, each as it was exported{manifest}{given}")
        if kept is None and verdict.manifest:
            warn(
                "whoever can write here can make file and manifest anew: compare the head with the one that "
                "was kept elsewhere (--head)"
            )
    elif is_given:
        say(f"the head is the one that was given: the {verdict.records} records are as they were exported")
