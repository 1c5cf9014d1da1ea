"""What the selectors of a StackPulse playbook name, and what that is in an expression of ours."""

from dataclasses import dataclass, field
from typing import Literal

from engine.importing.cel import RELATION, Expr, binary, element, literal, member, text_literal
from engine.importing.go_tree import At, Each, Member, NotTranslatable, Part

ANSWERS = ("selected_responses", "slack_response")
"""Outputs of an interactive question."""
_COMMON = ("output", "success")
"""Outputs that many programs have."""
StepKind = Literal["program", "ask", "event", "mute"]
_ALERT = {
    "ALERT_ID": "monitor_id",
    "ALERT_TITLE": "monitor_name",
    "ALERT_TRANSITION": "transition",
    "ALERT_TYPE": "type",
    "ALERT_SCOPE": "scope",
    "ALERT_METRIC": "metric",
    "ALERT_QUERY": "query",
    "ALERT_CYCLE_KEY": "cycle_key",
    "AGGREG_KEY": "aggregation_key",
    "EVENT_TYPE": "kind",
    "EVENT_TITLE": "title",
    "EVENT_MSG": "body",
    "TEXT_ONLY_MSG": "text",
    "HOSTNAME": "host",
    "LINK": "link",
    "SNAPSHOT": "snapshot",
    "title": "title",
    "body": "body",
    "id": "event_id",
    "date": "at",
}
_RUN = {
    "executionUrl": "run.url",
    "executionId": "run.id",
    "playbookId": "run.playbook",
    "playbookName": "run.playbook",
}


@dataclass(frozen=True, slots=True)
class InputName:
    """A parameter: an input of ours, or a secret."""

    name: str
    secret: str = ""


@dataclass(frozen=True, slots=True)
class StepName:
    """A step: its id here, what its output looks like, the loops that it is in, and which program it was."""

    name: str
    kind: StepKind
    loops: tuple[str, ...] = ()
    """The outermost first."""
    program: str = ""


@dataclass(frozen=True, slots=True)
class Loop:
    """A loop that we are in: its id here, what its key and value are called there, its variable here."""

    id: str
    key: str
    value: str
    variable: str


@dataclass(slots=True)
class Names:
    """All that can be named at one place of the playbook. `remarks` gathers what a person should look at."""

    inputs: dict[str, InputName] = field(default_factory=dict)
    steps: dict[str, StepName] = field(default_factory=dict)
    """By their ids there; of several with one id, the last."""
    order: list[StepName] = field(default_factory=list)
    loops: list[Loop] = field(default_factory=list)
    ended: str = ""
    """The loop whose iteration has just ended, where its `break` is looked at."""
    remarks: list[str] = field(default_factory=list)
    fields: dict[str, str] = field(default_factory=dict)
    """Bare fields, and the programs whose output they are taken to be."""
    used: set[str] = field(default_factory=set)
    """Parameters that expressions name."""
    alert_used: bool = False

    def remark(self, text: str) -> None:
        """Says it once."""
        if text not in self.remarks:
            self.remarks.append(text)

    def of_root(self, parts: tuple[Part, ...]) -> Expr:
        """What `$.a.b` is. Raises NotTranslatable."""
        if not parts or not isinstance(parts[0], Member):
            raise NotTranslatable("the whole of what the playbook knows")
        first, rest = parts[0].name, parts[1:]
        if first == "params":
            return self._parameter(rest)
        if first == "event":
            return self._event(rest)
        if first in ("metadata", "execution"):
            return self._run(first, rest)
        for loop in reversed(self.loops):
            if first == loop.value:
                return members(Expr(loop.variable), rest)
            if first == loop.key:
                self.remark(
                    "the key of a list is `index`; of a map write `foreach: entries(...)`, then `.key`"
                )
                return members(Expr("index", "int"), rest)
        step = self.steps.get(first)
        return self._before(first, rest) if step is None else self.of_step(step, rest)

    def secret_of(self, parts: tuple[Part, ...]) -> str:
        """The secret that a parameter stands for; empty where it is none."""
        if len(parts) == 2 and parts[0] == Member("params") and isinstance(parts[1], Member):
            given = self.inputs.get(parts[1].name)
            return "" if given is None else given.secret
        return ""

    def of_step(self, step: StepName, parts: tuple[Part, ...]) -> Expr:
        """What a step gave."""
        first = parts[0].name if parts and isinstance(parts[0], Member) else ""
        base, output = self._step_base(step)
        if first == "success" and len(parts) == 1:
            if not base:
                return binary(output, "!=", literal(None), RELATION, "bool")
            return binary(Expr(f"{base}.status"), "==", text_literal("succeeded"), RELATION, "bool")
        if step.kind == "ask":
            return _answer(output, first, parts[1:])
        if step.kind == "event":
            return _event_of(output, first, parts)
        if step.kind == "mute":
            raise NotTranslatable(f"the step `{step.name}` has no output here")
        return members(member(output, "body"), parts)

    def _step_base(self, step: StepName) -> tuple[str, Expr]:
        """What a step's status hangs on (empty where only the output is kept), and its output."""
        inside = tuple(loop.id for loop in self.loops)
        if self.ended and step.loops and step.loops[-1] == self.ended:
            return f"item.{step.name}", _soft(f"item.{step.name}.output")
        if step.loops == inside[: len(step.loops)]:
            return f"steps.{step.name}", _soft(f"steps.{step.name}.output")
        if len(step.loops) != len(inside) + 1:
            raise NotTranslatable(f"the step `{step.name}` is in another loop")
        outputs = f"steps.{step.loops[-1]}.outputs"
        self.remark(f"`{step.name}` is taken from the last round of the loop `{step.loops[-1]}`")
        return "", _soft(f"{outputs}[size({outputs}) - 1].{step.name}")

    def _parameter(self, parts: tuple[Part, ...]) -> Expr:
        if not parts or not isinstance(parts[0], Member):
            raise NotTranslatable("all parameters at once")
        name = parts[0].name
        given = self.inputs.get(name)
        if given is None:
            raise NotTranslatable(f"there is no parameter `{name}`")
        if given.secret:
            return members(text_literal(given.secret), parts[1:])
        self.used.add(name)
        found = Expr(f"inputs.{given.name}", "string")
        return members(found, parts[1:]) if len(parts) > 1 else found

    def _event(self, parts: tuple[Part, ...]) -> Expr:
        self.alert_used = True
        if parts[:1] == (Member("metadata"),):
            parts = parts[1:]
        names = [part.name for part in parts if isinstance(part, Member)]
        if len(names) != len(parts):
            return members(self._event(()), parts)
        if len(names) == 1 and names[0] in _ALERT:
            return Expr(f"alert.{_ALERT[names[0]]}", "string")
        if not names:
            return Expr("alert.metadata")
        self.remark("the event is the alert: fields of its payload are read from `alert.metadata`")
        soft = "alert.metadata"
        for name in names:
            soft = member(Expr("", soft=soft), name).soft
        return Expr(f"{soft}.orValue('')", soft=soft)

    def _run(self, first: str, parts: tuple[Part, ...]) -> Expr:
        name = parts[0].name if len(parts) == 1 and isinstance(parts[0], Member) else ""
        if first == "execution" and name == "id":
            return Expr("run.id", "string")
        if first == "metadata" and name in _RUN:
            return Expr(_RUN[name], "string")
        if name == "userEmail":
            raise NotTranslatable("who started the run is on its page, but no expression sees it")
        raise NotTranslatable(f"`{first}.{name}` has no counterpart")

    def _before(self, first: str, rest: tuple[Part, ...]) -> Expr:
        """A bare field: all outputs were merged there; here it is looked for in the step before.

        What was once an output of one program is looked for in the last step of that program again.
        """
        kind: StepKind = "ask" if first in ANSWERS else "program"
        found = [step for step in self.order if step.kind == kind]
        if not found:
            raise NotTranslatable(f"`{first}` names neither a step nor anything else")
        if first not in _COMMON:
            program = self.fields.setdefault(first, found[-1].program)
            found = [step for step in found if step.program == program]
        self.remark(f"`{first}` is taken to be an output of the step `{found[-1].name}`")
        return self.of_step(found[-1], (Member(first), *rest))


def _soft(output: str) -> Expr:
    """An output that is null where the step was skipped or failed: then its members are missing, too."""
    return Expr(output, soft=f"optional.ofNonZeroValue({output})")


def members(base: Expr, parts: tuple[Part, ...]) -> Expr:
    """`base.a[0].b`, and for each of a list what follows."""
    for at, part in enumerate(parts):
        if isinstance(part, Member):
            base = member(base, part.name)
        elif isinstance(part, At):
            base = element(base, part.index)
        else:
            return _each(base, part, parts[at + 1 :])
    return base


def _each(base: Expr, part: Each, rest: tuple[Part, ...]) -> Expr:
    variable = "each" if "each" not in base.text else "each_2"
    if part.of_map:
        inner = members(Expr(f"{variable}.value"), rest)
        return Expr(f"entries({base.text}).map({variable}, {inner.text})", "list")
    if not rest:
        return base
    return Expr(f"{base.text}.map({variable}, {members(Expr(variable), rest).text})", "list")


def _answer(output: Expr, first: str, rest: tuple[Part, ...]) -> Expr:
    choice = Expr(member(output, "choice").text, "string")
    if (first == "slack_response" and not rest) or (first == "selected_responses" and rest == (At(0),)):
        return choice
    if first == "selected_responses" and not rest:
        return Expr(f"[{choice.text}]", "list", sole=choice)
    raise NotTranslatable(f"a question has no `{first}` here, but `output.choice`")


def _event_of(output: Expr, first: str, parts: tuple[Part, ...]) -> Expr:
    event = (Member("api_object"), Member("event"))
    if first == "id" and len(parts) == 1:
        return member(output, "id")
    if parts[:2] == event and parts[2:] in ((Member("id"),), (Member("url"),)):
        return members(output, parts[2:])
    raise NotTranslatable("of a posted event only `id` and `url` are kept")
