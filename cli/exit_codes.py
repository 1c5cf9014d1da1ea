"""What the exit codes of `pulsebook` say, and what a supervisor makes of them; docs/cli.md tells it."""

from dataclasses import dataclass

from cli.output import ANSWER_IS_NO, CANNOT_REACH, DONE, WRONG_USE
from streams.ending import EXIT_BROKEN, EXIT_REFUSED


@dataclass(frozen=True, slots=True)
class ExitCode:
    """One exit code. `seldom`: a new start alone will not help, so it is tried seldom."""

    code: int
    means: str
    seldom: bool = False


EXIT_CODES = {
    each.code: each
    for each in (
        ExitCode(DONE, "done; a process stopped because it was asked to"),
        ExitCode(ANSWER_IS_NO, "the answer is no"),
        ExitCode(WRONG_USE, "wrong use: an argument, a setting, or a port that is in use", seldom=True),
        ExitCode(CANNOT_REACH, "cannot reach what it needs"),
        ExitCode(EXIT_BROKEN, "something broke; a new start is the remedy"),
        ExitCode(EXIT_REFUSED, "it refuses to work with what it found", seldom=True),
    )
}
