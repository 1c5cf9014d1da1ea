"""Reads steps that hold no other steps: their keys, kind by kind; questions in `reading_ask`. What an action
takes is checked in `arguments`.
"""

from typing import TYPE_CHECKING

from engine.playbook.arguments import check_arguments, is_repeatable
from engine.playbook.fields import Fields
from engine.playbook.keys import EXIT, PUBLISH, RETRY
from engine.playbook.keys_flow import WAIT
from engine.playbook.model import (
    HOUR_MS,
    ActionStep,
    ExitStep,
    PublishStep,
    Retry,
    RunStep,
    SetStep,
    WaitStep,
)
from engine.playbook.problems import nearest
from engine.playbook.reading_trigger import DAY_MS, MONTH_MS, PLAYBOOK_NAME, read_name

if TYPE_CHECKING:
    from engine.playbook.reading_steps import StepReader


def action(reader: "StepReader", fields: Fields, path: str, condition: str) -> ActionStep:
    """`action`."""
    arguments = fields.map("with")
    if arguments is not None:
        reader.sites.template(arguments, secrets=True)
    name = fields.text("action")
    repeatable = fields.flag("repeatable", None)
    retry = _retry(reader, fields)
    spec = reader.known.get(name)
    given = fields.value("action")
    if spec is not None:
        if arguments is not None or "with" not in fields:
            check_arguments(arguments, spec, fields, reader.problems)
        can_repeat = is_repeatable(spec, arguments) if repeatable is None else repeatable
        if retry is not None and not can_repeat and "on_unknown" not in fields:
            message = f"`retry` on a step that must not be done twice (`{name}`) needs `on_unknown`"
            fix = "on_unknown: fail, ask, continue or retry; or repeatable: true if twice is harmless"
            reader.problems.error(fields.key_mark("retry"), message, fix)
    elif given is not None and isinstance(given.data, str):
        reader.problems.error(given.mark, f"there is no action `{name}`", nearest(name, sorted(reader.known)))
    return ActionStep(
        path=path,
        action=name,
        condition=condition,
        arguments={} if arguments is None else arguments.plain(),
        select=_select(reader, fields),
        retry=retry,
        timeout_ms=fields.duration("timeout", 60_000, 100, HOUR_MS),
        start_within_ms=fields.duration("start_within", 600_000, 1_000, DAY_MS),
        repeatable=repeatable,
        on_unknown=fields.choice("on_unknown", ("fail", "ask", "continue", "retry"), "fail"),
        continue_on_error=continues(fields),
    )


def continues(fields: Fields) -> bool:
    """`continue_on_error`."""
    return bool(fields.flag("continue_on_error", False))


def _select(reader: "StepReader", fields: Fields) -> dict[str, str] | None:
    select = fields.map("select")
    if select is None:
        return None
    sites = reader.sites
    stage, sites.stage = sites.stage, "select"
    found = {name: sites.expression(value, f"select.{name}") for name, value in select.data.items()}
    sites.stage = stage
    return found


def _retry(reader: "StepReader", fields: Fields) -> Retry | None:
    if "retry" not in fields:
        return None
    default = Retry()
    retry = Fields(fields.value("retry"), RETRY, reader.problems)
    return Retry(
        attempts=retry.number("attempts", default.attempts, 1, 100),
        delay_ms=retry.duration("delay", default.delay_ms, 0, DAY_MS),
        backoff=float(retry.number("backoff", default.backoff, 1, 10, whole=False)),
        max_delay_ms=retry.duration("max_delay", default.max_delay_ms, 0, DAY_MS),
        within_ms=retry.duration("within", default.within_ms, 1_000, MONTH_MS),
    )


def publish(reader: "StepReader", fields: Fields, path: str, condition: str) -> PublishStep:
    """`publish`."""
    inner = Fields(fields.value("publish"), PUBLISH, reader.problems)
    if "title" not in inner and inner.items:
        inner.missing("title")
    tags = inner.strings("tags")
    for value in inner.items.values():
        reader.sites.template(value)
    return PublishStep(
        path=path,
        condition=condition,
        title=inner.text("title"),
        text=inner.text("text"),
        tags=tuple(tag.data for tag in tags),
        alert_type=inner.choice("alert_type", ("info", "success", "warning", "error"), "info"),
        priority=inner.choice("priority", ("normal", "low"), "normal"),
        host=inner.text("host"),
        aggregation_key=inner.text("aggregation_key"),
    )


def set_(reader: "StepReader", fields: Fields, path: str, condition: str) -> SetStep:
    """`set`."""
    values = fields.map("set")
    if values is None:
        return SetStep(path=path, condition=condition, values={})
    if not values.data:
        reader.problems.error(values.mark, "`set` sets nothing", "write `name: value` lines below it")
    for name, mark in values.keys.items():
        read_name(name, mark, "a variable", reader.problems)
    reader.sites.template(values)
    return SetStep(path=path, condition=condition, values=values.plain())


def exit_(reader: "StepReader", fields: Fields, path: str, condition: str) -> ExitStep:
    """`exit`."""
    inner = Fields(fields.value("exit"), EXIT, reader.problems)
    reason = inner.value("reason")
    if reason is not None:
        reader.sites.template(reason)
    return ExitStep(
        path=path,
        condition=condition,
        status=inner.choice("status", ("succeeded", "failed", "cancelled"), "succeeded"),
        reason=inner.text("reason"),
    )


def wait(reader: "StepReader", fields: Fields, path: str, condition: str) -> WaitStep:
    """`wait`."""
    inner = Fields(fields.value("wait"), WAIT, reader.problems)
    for_ms = inner.duration("for", 0, 1_000, MONTH_MS)
    timeout_ms = inner.duration("timeout", 0, 1_000, MONTH_MS)
    until = inner.choice("until", ("recovered",), "time")
    if "for" in inner and "until" in inner:
        reader.problems.error(
            inner.key_mark("until"),
            "`wait` takes `for` or `until`, not both",
            "with `until`, write `timeout`",
        )
    elif "for" in inner and "timeout" in inner:
        reader.problems.error(inner.key_mark("timeout"), "`timeout` belongs to `until`", "leave it out")
    elif "until" in inner and "timeout" not in inner:
        inner.missing("timeout", "how long to wait at most; then `output.recovered` is false")
    elif "for" not in inner and "until" not in inner and isinstance(_data(fields, "wait"), dict):
        inner.missing("for", "{for: 2m}, or {until: recovered, timeout: 10m}")
    reader.check_time(inner, "for" if "for" in inner else "timeout", for_ms or timeout_ms)
    return WaitStep(path=path, condition=condition, until=until, wait_ms=for_ms or timeout_ms)


def run(reader: "StepReader", fields: Fields, path: str, condition: str) -> RunStep:
    """`run`."""
    arguments = fields.map("with")
    if arguments is not None:
        for name, mark in arguments.keys.items():
            read_name(name, mark, "an input", reader.problems)
        reader.sites.template(arguments)
    name = fields.text("run")
    given = fields.value("run")
    if given is not None and isinstance(given.data, str) and not PLAYBOOK_NAME.fullmatch(name):
        message = f"a playbook cannot be called {name!r}"
        reader.problems.error(given.mark, message, "the name after `playbook:` in its file: a-z, 0-9 and `-`")
    return RunStep(
        path=path,
        condition=condition,
        playbook=name,
        arguments={} if arguments is None else arguments.plain(),
        continue_on_error=continues(fields),
    )


def _data(fields: Fields, key: str) -> object:
    value = fields.value(key)
    return None if value is None else value.data
