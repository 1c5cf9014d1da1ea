"""What becomes of a step of StackPulse: a container image there, an action of ours here.

A question is in `asking`; which steps run when is in `steps`.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from engine.importing.asking import asked
from engine.importing.names import StepKind
from engine.importing.source import Source, below, scalar_text, text_below
from engine.playbook.durations import as_duration
from engine.yaml_values import Value
from engine.yaml_writing import Commented

PUBLIC = "us-docker.pkg.dev/stackpulse/public/"
NOWHERE = "https://step-programs.invalid"
"""Where steps are posted until a person says where: a name that never exists (RFC 2606)."""
PROGRAMS_INPUT = "step_programs"
_SLACK = "https://slack.com/api/chat.postMessage"
_SILENT = ("SP_REDIRECT_URL", "SP_FORMATTER", "SELECTOR_TYPE")
"""Inputs that are about StackPulse's own pages and runners."""
_WAIT_MAX_S = 31 * 86_400


class Body(NamedTuple):
    """The keys of a step that say what it does, what its output looks like, and notes to stand above it."""

    keys: dict[str, Any]
    kind: StepKind
    notes: tuple[str, ...] = ()


def program_of(step: Value) -> str:
    """Image without registry, tag and digest: `kubectl/get-pods`."""
    image = text_below(step, "name").strip().partition("@")[0]
    head, slash, tail = image.rpartition("/")
    return (head + slash + tail.partition(":")[0]).removeprefix(PUBLIC)


def body_of(step: Value, source: Source) -> Body:
    """What a step does here."""
    made = _COUNTERPARTS.get(program_of(step), _posted)
    return made(step, source)


def _posted(step: Value, source: Source) -> Body:
    """A program that we have no action for: its inputs are posted to where somebody runs it."""
    program = program_of(step)
    path = re.sub(r"[^A-Za-z0-9._/-]+", "-", program).strip("/") or "unnamed"
    inputs = {
        key: source.values(given)
        for key in ("env", "args")
        if (given := below(step, key)) is not None and given.data
    }
    arguments: dict[str, Any] = {
        "method": "POST",
        "url": f"${{{{ inputs.{PROGRAMS_INPUT} }}}}/{path}",
        "json": inputs,
    }
    message = f"no action does what the step program `{program}` did: replace this, or run it yourself"
    note = source.notes.add(step.mark, message)
    return Body({"action": "http.request", "with": arguments}, "program", (note,))


def _event(step: Value, source: Source) -> Body:
    env = below(step, "env")
    arguments: dict[str, Any] = {}
    for theirs, ours in (("TITLE", "title"), ("TEXT", "text"), ("AGGREGATION_KEY", "aggregation_key")):
        given = below(env, theirs)
        if given is not None and scalar_text(given):
            arguments[ours] = source.text(given)
    arguments.setdefault("text", "")
    tags = below(env, "TAGS")
    if tags is not None and scalar_text(tags):
        arguments["tags"] = _tags(tags, source)
    notes = _left_out(env, ("TITLE", "TEXT", "TAGS", "AGGREGATION_KEY", "DD_API_KEY", *_SILENT), source)
    return Body({"action": "datadog.post_event", "with": arguments}, "event", notes)


def _tags(tags: Value, source: Source) -> Any:
    """A comma list as a list. Commas inside of braces are none of its own."""
    parts = re.split(r",(?![^{]*\}\})", scalar_text(tags))
    made = [source.text(Value(part.strip(), tags.mark, text=part.strip())) for part in parts if part.strip()]
    return made


def _message(step: Value, source: Source) -> Body:
    """A message to Slack, over its API."""
    env = below(step, "env")
    texts = [source.text(given) for name in ("MESSAGE_TEXT", "MESSAGE") if (given := below(env, name))]
    known = ("MESSAGE_TEXT", "MESSAGE")
    return _to_slack(step, source, texts[0] if texts else "", known)


def _snippet(step: Value, source: Source) -> Body:
    """A snippet, as a message with its content as it is."""
    env = below(step, "env")
    known = ("INITIAL_COMMENT", "TITLE", "CONTENT", "FILE_TYPE")
    lines: list[str] = []
    notes: list[str] = []
    for name, pattern in (("INITIAL_COMMENT", "{}"), ("TITLE", "*{}*"), ("CONTENT", "```\n{}\n```")):
        given = below(env, name)
        if given is not None and scalar_text(given):
            made = source.text(given)
            if isinstance(made, Commented):
                notes += made.comments
                made = made.value
            lines.append(pattern.format(made.rstrip("\n")))
    text = "\n".join(lines)
    return _to_slack(step, source, Commented(text, tuple(notes)) if notes else text, known)


def _to_slack(step: Value, source: Source, text: Any, known: tuple[str, ...]) -> Body:
    env = below(step, "env")
    to = below(env, "RECIPIENTS")
    notes = _left_out(env, ("RECIPIENTS", *known, *_SILENT), source)
    notes += source.once(step.mark, "messages want a secret: `pulsebook secret set SLACK_TOKEN`")
    channel = "" if to is None else source.text(to)
    recipients = scalar_text(to)
    if to is not None and "{{" not in recipients and ("," in recipients or "@" in recipients):
        message = "Slack takes one channel, or the id of one person, for a message"
        channel = Commented(channel, (source.notes.add(to.mark, message),))
    arguments = {
        "method": "POST",
        "url": _SLACK,
        "auth": {"bearer": "${{ secrets.SLACK_TOKEN }}"},
        "json": {"channel": channel, "text": text},
    }
    refused = "Slack answers 200 where it refuses, too, but without `ts`: then this fails."
    keys = {
        "action": "http.request",
        "with": arguments,
        "select": Commented({"ts": "output.body.ts"}, (refused,)),
    }
    return Body(keys, "mute", notes)


def _wait(step: Value, source: Source) -> Body:
    given = below(below(step, "env"), "SECONDS") or below(below(step, "env"), "DURATION")
    text = scalar_text(given).strip()
    seconds = re.fullmatch(r"(\d{1,7})s?", text)
    if seconds and 0 < int(seconds[1]) <= _WAIT_MAX_S:
        return Body({"wait": {"for": as_duration(int(seconds[1]) * 1000)}}, "mute")
    mark = step.mark if given is None else given.mark
    note = source.notes.add(mark, f"how long to wait is written out here, and was `{text}`: say how long")
    return Body({"wait": {"for": Commented("1m", (note,))}}, "mute")


def _echo(step: Value, source: Source) -> Body:
    env = below(step, "env")
    said: list[Value] = [given for name in ("MESSAGE", "TEXT") if (given := below(env, name)) is not None]
    args = below(step, "args")
    if args is not None and isinstance(args.data, tuple):
        said += args.data
    texts = [source.text(each) for each in said]
    comments = tuple(note for text in texts if isinstance(text, Commented) for note in text.comments)
    message = " ".join(text.value if isinstance(text, Commented) else text for text in texts)
    made = Commented(message, comments) if comments else message
    notes = _left_out(env, ("MESSAGE", "TEXT", *_SILENT), source)
    return Body({"action": "log", "with": {"message": made}}, "mute", notes)


def _left_out(env: Value | None, known: tuple[str, ...], source: Source) -> tuple[str, ...]:
    given = env.data if env is not None and isinstance(env.data, dict) else {}
    return tuple(
        source.notes.add(value.mark, f"the input `{name}` is left out")
        for name, value in given.items()
        if name not in known
    )


def _question(step: Value, source: Source) -> Body:
    made, notes = asked(below(step, "env"), step.mark, source)
    return Body({"ask": made}, "ask", notes)


_COUNTERPARTS: Mapping[str, Callable[[Value, Source], Body]] = {
    "slack/message/interactive": _question,
    "slack/message/dynamic": _message,
    "slack/message/snippet": _snippet,
    "datadog/post-event": _event,
    "utils/wait": _wait,
    "utils/echo": _echo,
    "echo": _echo,
}
COUNTERPARTS = tuple(_COUNTERPARTS)
"""The step programs that have a counterpart; all others are posted."""
