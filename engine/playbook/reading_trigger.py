"""Reads `on`, `inputs` and `admission`: when a playbook may start, and with what."""

import re
from collections.abc import Collection
from typing import Any

from engine.playbook.fields import Fields
from engine.playbook.keys import (
    ADMISSION,
    INPUT,
    ON,
    ON_ALERT,
    ON_CALL,
    ON_RECOVERED,
    PRIORITIES,
    QUEUE,
    THROTTLE,
    TRANSITIONS,
)
from engine.playbook.model import HOUR_MS, Admission, AlertTrigger, CallTrigger, InputSpec
from engine.playbook.problems import Problems
from engine.playbook.sites import Sites
from engine.playbook.templates import OPENING
from engine.run.inputs import WrongInput, checked
from engine.yaml_values import Value

DAY_MS = 24 * HOUR_MS
MONTH_MS = 31 * DAY_MS
PLAYBOOK_NAME = re.compile(r"[a-z0-9-]{1,64}")
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
RESERVED = frozenset({"true", "false", "null", "in"})
"""Words that no name in an expression can be, not even after a dot."""


def read_name(name: str, mark: Any, what: str, problems: Problems) -> bool:
    """Whether a name can be used in expressions; reports it where not."""
    if name in RESERVED:
        problems.error(
            mark, f"{what} cannot be called `{name}`, a word of the expressions", f"such as {name}_1"
        )
    elif not NAME.fullmatch(name):
        better = re.sub(r"[^A-Za-z0-9_]+", "_", name)[:64].lstrip("0123456789") or "a_name"
        fix = f"letters, digits and `_`, at most 64, such as `{better}`"
        problems.error(mark, f"{what} `{name}` cannot be a name in expressions", fix)
    else:
        return True
    return False


def read_on(
    value: Value | None, sites: Sites, endpoints: Collection[str] | None
) -> tuple[tuple[AlertTrigger, ...], CallTrigger | None]:
    """`on`."""
    problems = sites.problems
    on = Fields(value, ON, problems)
    if value is not None and isinstance(value.data, dict) and not on.items:
        problems.error(value.mark, "nothing starts this playbook", "give `alert`, `call: {}`, or both")
    triggers: list[AlertTrigger] = []
    alert = on.value("alert")
    if alert is not None and alert.data is None:
        on.wrong("alert", "a map, or a list of maps", "`alert: {}` fits every alert")
    elif alert is not None:
        several = alert.data if isinstance(alert.data, tuple) else (alert,)
        if not several:
            problems.error(alert.mark, "an empty list fits no alert", "leave the key out")
        triggers = [_alert_trigger(one, sites, endpoints) for one in several]
    call = on.value("call")
    if call is None:
        return tuple(triggers), None
    if call.data is None:
        on.wrong("call", "a map", "write `call: {}`")
    return tuple(triggers), _call_trigger(call, problems, endpoints)


def _alert_trigger(value: Value, sites: Sites, endpoints: Collection[str] | None) -> AlertTrigger:
    fields = Fields(value, ON_ALERT, sites.problems)
    if isinstance(value.data, dict) and not value.data:
        sites.problems.warning(value.mark, "this fits every alert of every endpoint", "narrow it down")
    sites.stage = "alert"
    trigger = AlertTrigger(
        endpoint=fields.texts("endpoint"),
        kind=fields.texts("kind"),
        monitor=fields.texts("monitor"),
        tags=_tags(fields),
        transition=fields.texts("transition", AlertTrigger().transition),
        priority=fields.texts("priority"),
        when=sites.expression(fields.value("when"), "when", "bool"),
        test=bool(fields.flag("test", False)),
    )
    if "transition" in fields:
        fields.unknown_values("transition", trigger.transition, TRANSITIONS, "the transition")
    if "priority" in fields:
        fields.unknown_values("priority", trigger.priority, PRIORITIES, "the priority")
    if "endpoint" in fields and endpoints is not None:
        fields.unknown_values("endpoint", trigger.endpoint, endpoints, "the endpoint")
    for name in ("endpoint", "kind", "monitor", "transition", "priority"):
        _check_empty(fields.value(name), name, sites.problems)
    return trigger


def _check_empty(given: Value | None, name: str, problems: Problems) -> None:
    if given is not None and given.data == ():
        problems.error(given.mark, f"an empty `{name}` fits nothing", "leave the key out")


def _tags(fields: Fields) -> dict[str, tuple[str, ...]]:
    tags = fields.map("tags")
    if tags is None:
        return {}
    for key, value in tags.data.items():
        _check_empty(value, f"tags.{key}", fields.problems)
    return {key: tuple(fields.texts_of(f"tags.{key}", value)) for key, value in tags.data.items()}


def _call_trigger(value: Value, problems: Problems, endpoints: Collection[str] | None) -> CallTrigger:
    fields = Fields(value if value.data is not None else None, ON_CALL, problems)
    call = CallTrigger(endpoints=fields.texts("endpoints"))
    if "endpoints" in fields and endpoints is not None:
        fields.unknown_values("endpoints", call.endpoints, endpoints, "the endpoint")
    return call


def read_inputs(value: Value | None, sites: Sites, by_alert: bool) -> dict[str, InputSpec]:
    """`inputs`. `by_alert`: alerts start the playbook, so every input must do without a caller."""
    inputs: dict[str, InputSpec] = {}
    if value is None:
        return inputs
    for name, item in value.data.items():
        mark = value.keys[name]
        named = read_name(name, mark, "an input", sites.problems)
        spec = inputs[name] = _input(item, sites)
        if named and spec.required and by_alert:
            message = f"the input `{name}` has no default, so that no alert can start this playbook"
            sites.problems.error(mark, message, "give it a `default`, or `required: false`")
    return inputs


def _input(value: Value, sites: Sites) -> InputSpec:
    fields = Fields(value, INPUT, sites.problems)
    kind = fields.choice("type", ("string", "int", "float", "bool", "list", "map"), "string")
    default = fields.value("default")
    required = fields.flag("required", default is None)
    if required and default is not None:
        sites.problems.error(
            fields.key_mark("required"), "an input with a default is not required", "give one of them"
        )
    choices = fields.value("choices")
    if choices is not None and not isinstance(choices.data, tuple):
        fields.wrong("choices", "a list")
        choices = None
    spec = InputSpec(
        type=kind,
        default=None if default is None else default.plain(),
        required=bool(required) and default is None,
        description=fields.text("description"),
        minimum=fields.number("minimum", None, -(2.0**63), 2.0**63, whole=False),
        maximum=fields.number("maximum", None, -(2.0**63), 2.0**63, whole=False),
        choices=tuple(choices.plain()) if choices is not None else (),
    )
    for bound in ("minimum", "maximum"):
        if bound in fields and kind not in ("int", "float"):
            sites.problems.error(
                fields.key_mark(bound), f"`{bound}` is for numbers, and this input is of type {kind}"
            )
    _check_default(default, choices, spec, sites)
    return spec


def _check_default(default: Value | None, choices: Value | None, spec: InputSpec, sites: Sites) -> None:
    for choice in choices.data if choices is not None else ():
        _check_literal(choice, InputSpec(type=spec.type), "this choice", sites.problems)
    if default is None:
        return
    sites.stage = "default"
    sites.template(default)
    if not has_placeholder(default) and default.data is not None:
        _check_literal(default, spec, "this default", sites.problems)


def _check_literal(value: Value, spec: InputSpec, what: str, problems: Problems) -> None:
    plain = value.plain()
    wrong_kind = isinstance(plain, str) and spec.type != "string"
    try:
        checked(plain, spec)
    except WrongInput as error:
        problems.error(value.mark, f"{what} {error}")
    else:
        if wrong_kind:
            problems.error(
                value.mark, f"{what} is text, and the input is of type {spec.type}", "leave out the quotes"
            )


def has_placeholder(value: Value) -> bool:
    """Whether any text in it holds an expression."""
    if isinstance(value.data, dict):
        return any(has_placeholder(item) for item in value.data.values())
    if isinstance(value.data, tuple):
        return any(has_placeholder(item) for item in value.data)
    return isinstance(value.data, str) and OPENING in value.data


def read_admission(value: Value | None, sites: Sites) -> Admission:
    """`admission`."""
    fields = Fields(value, ADMISSION, sites.problems)
    queue = Fields(fields.value("queue"), QUEUE, sites.problems)
    recovered = Fields(fields.value("on_recovered"), ON_RECOVERED, sites.problems)
    throttle = Fields(fields.value("throttle"), THROTTLE, sites.problems)
    if "throttle" in fields and isinstance(fields.items["throttle"].data, dict):
        for name in ("limit", "per"):
            if name not in throttle:
                throttle.missing(name, "such as {limit: 10, per: 1h}")
    default = Admission()
    sites.stage = "alert"
    return Admission(
        key=sites.expression(fields.value("key"), "key", "text") or default.key,
        while_running=fields.choice("while_running", ("skip", "queue", "parallel"), default.while_running),
        max_running=fields.number("max_running", default.max_running, 1, 10_000),
        queue_max=queue.number("max", default.queue_max, 0, 10_000),
        queue_expires_ms=queue.duration("expires", default.queue_expires_ms, 1_000, MONTH_MS),
        on_recovered_queued=recovered.choice("queued", ("drop", "keep"), default.on_recovered_queued),
        on_recovered_running=recovered.choice("running", ("ignore", "cancel"), default.on_recovered_running),
        cooldown_ms=fields.duration("cooldown", default.cooldown_ms, 1_000, MONTH_MS),
        throttle_limit=throttle.number("limit", default.throttle_limit, 1, 1_000),
        throttle_per_ms=throttle.duration("per", default.throttle_per_ms, 1_000, MONTH_MS),
    )
