"""Reads lists of steps: which kind each is, and its keys. What an action takes is checked in `arguments`."""

from collections.abc import Mapping
from typing import Any

from engine.playbook.arguments import check_arguments, is_repeatable
from engine.playbook.fields import Fields, kind_of
from engine.playbook.keys import EXIT, LATER_KINDS, PUBLISH, RETRY, STEPS
from engine.playbook.model import HOUR_MS, ActionStep, ExitStep, PublishStep, Retry, SetStep, Step
from engine.playbook.problems import nearest
from engine.playbook.reading_trigger import DAY_MS, MONTH_MS, read_name
from engine.playbook.sites import Sites
from engine.yaml_values import Mark, Value
from schemas.actions import ActionSpec

STEPS_MAX = 500


class StepReader:
    """Reads the blocks of one playbook, one after the other: steps are counted over all of them."""

    def __init__(self, sites: Sites, known: Mapping[str, ActionSpec], steps_max: int = STEPS_MAX) -> None:
        self._sites = sites
        self._problems = sites.problems
        self._known = known
        self._steps_max = steps_max
        self._count = 0
        self._ids: dict[str, Mark] = {}

    def block(self, fields: Fields, name: str, stage: Any) -> tuple[Step, ...]:
        """The steps below one key of the playbook."""
        value = fields.value(name)
        if value is None:
            return ()
        if not isinstance(value.data, tuple):
            fields.wrong(name, "a list of steps", "begin each step with `- `")
            return ()
        if self._count + len(value.data) > self._steps_max:
            self._problems.error(value.mark, f"more than {self._steps_max} steps", "make two playbooks of it")
            return ()
        self._sites.stage = stage
        steps = []
        for item in value.data:
            self._count += 1
            self._sites.step = self._count - 1
            step = self._step(item)
            if step is not None:
                steps.append(step)
        self._sites.step = -1
        return tuple(steps)

    def _step(self, value: Value) -> Step | None:
        if not isinstance(value.data, dict):
            self._problems.error(value.mark, f"a step is a map, and this is {kind_of(value)}", _A_STEP)
            return None
        kinds = [name for name in value.data if name in STEPS]
        later = [name for name in value.data if name in LATER_KINDS]
        if later:
            message = f"`{later[0]}` is not supported yet"
            self._problems.error(value.keys[later[0]], message, f"kinds of steps: {', '.join(STEPS)}")
            return None
        if len(kinds) != 1:
            self._not_one_kind(value, kinds)
            return None
        kind = kinds[0]
        fields = Fields(value, STEPS[kind], self._problems)
        path = self._path(fields, kind)
        condition = self._sites.expression(fields.value("if"), "if", "bool")
        match kind:
            case "action":
                return self._action(fields, path, condition)
            case "publish":
                return self._publish(fields, path, condition)
            case "set":
                return self._set(fields, path, condition)
            case _:
                return self._exit(fields, path, condition)

    def _not_one_kind(self, value: Value, kinds: list[str]) -> None:
        if kinds:
            message = f"a step is one of `{kinds[0]}` and `{kinds[1]}`, not both"
            self._problems.error(value.keys[kinds[1]], message, "make two steps of it")
            return
        for name, mark in value.keys.items():
            near = nearest(name, STEPS, "-")
            if near != "-":
                self._problems.error(mark, f"a step has no key `{name}`", near)
                return
        self._problems.error(value.mark, "this step says not what to do", _A_STEP)

    def _path(self, fields: Fields, kind: str) -> str:
        given = fields.value("id")
        number = f"#{self._count}"
        if given is None:
            if kind == "action":
                fields.missing("id", "its name in `steps.<id>`, in the journal and on all pages")
            return number
        if not isinstance(given.data, str):
            fields.wrong("id", "a name")
            return number
        if not read_name(given.data, given.mark, "a step", self._problems):
            return number
        if given.data in self._ids:
            first = self._ids[given.data].line
            self._problems.error(given.mark, f"the id `{given.data}` is taken", f"first in line {first}")
            return number
        self._ids[given.data] = given.mark
        return given.data

    def _action(self, fields: Fields, path: str, condition: str) -> ActionStep:
        arguments = fields.map("with")
        if arguments is not None:
            self._sites.template(arguments, secrets=True)
        name = fields.text("action")
        repeatable = fields.flag("repeatable", None)
        retry = self._retry(fields)
        spec = self._known.get(name)
        action = fields.value("action")
        if spec is not None:
            if arguments is not None or "with" not in fields:
                check_arguments(arguments, spec, fields, self._problems)
            can_repeat = is_repeatable(spec, arguments) if repeatable is None else repeatable
            if retry is not None and not can_repeat and "on_unknown" not in fields:
                message = f"`retry` on a step that must not be done twice (`{name}`) needs `on_unknown`"
                fix = "on_unknown: fail, ask, continue or retry; or repeatable: true if twice is harmless"
                self._problems.error(fields.key_mark("retry"), message, fix)
        elif action is not None and isinstance(action.data, str):
            self._problems.error(
                action.mark, f"there is no action `{name}`", nearest(name, sorted(self._known))
            )
        return ActionStep(
            path=path,
            action=name,
            condition=condition,
            arguments={} if arguments is None else arguments.plain(),
            select=self._select(fields),
            retry=retry,
            timeout_ms=fields.duration("timeout", 60_000, 100, HOUR_MS),
            start_within_ms=fields.duration("start_within", 600_000, 1_000, DAY_MS),
            repeatable=repeatable,
            on_unknown=fields.choice("on_unknown", ("fail", "ask", "continue", "retry"), "fail"),
            continue_on_error=bool(fields.flag("continue_on_error", False)),
        )

    def _select(self, fields: Fields) -> dict[str, str] | None:
        select = fields.map("select")
        if select is None:
            return None
        stage, self._sites.stage = self._sites.stage, "select"
        found = {name: self._sites.expression(value, f"select.{name}") for name, value in select.data.items()}
        self._sites.stage = stage
        return found

    def _retry(self, fields: Fields) -> Retry | None:
        if "retry" not in fields:
            return None
        default = Retry()
        retry = Fields(fields.value("retry"), RETRY, self._problems)
        return Retry(
            attempts=retry.number("attempts", default.attempts, 1, 100),
            delay_ms=retry.duration("delay", default.delay_ms, 0, DAY_MS),
            backoff=float(retry.number("backoff", default.backoff, 1, 10, whole=False)),
            max_delay_ms=retry.duration("max_delay", default.max_delay_ms, 0, DAY_MS),
            within_ms=retry.duration("within", default.within_ms, 1_000, MONTH_MS),
        )

    def _publish(self, fields: Fields, path: str, condition: str) -> PublishStep:
        inner = Fields(fields.value("publish"), PUBLISH, self._problems)
        if "title" not in inner and inner.items:
            inner.missing("title")
        tags = inner.strings("tags")
        for value in inner.items.values():
            self._sites.template(value)
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

    def _set(self, fields: Fields, path: str, condition: str) -> SetStep:
        values = fields.map("set")
        if values is None:
            return SetStep(path=path, condition=condition, values={})
        if not values.data:
            self._problems.error(values.mark, "`set` sets nothing", "write `name: value` lines below it")
        for name, mark in values.keys.items():
            read_name(name, mark, "a variable", self._problems)
        self._sites.template(values)
        return SetStep(path=path, condition=condition, values=values.plain())

    def _exit(self, fields: Fields, path: str, condition: str) -> ExitStep:
        inner = Fields(fields.value("exit"), EXIT, self._problems)
        reason = inner.value("reason")
        if reason is not None:
            self._sites.template(reason)
        return ExitStep(
            path=path,
            condition=condition,
            status=inner.choice("status", ("succeeded", "failed", "cancelled"), "succeeded"),
            reason=inner.text("reason"),
        )


_A_STEP = "a step has one of: " + ", ".join(STEPS)
