"""Which names an expression of a playbook may use, with their types (those of `engine.expressions`).

What they hold is said in docs/playbooks.md. Names of tags (`TAGS`) map a key to text, or to a list of text
where the tag has several values. Whoever evaluates gives what it has: all others are "", 0, false, null or
empty.
"""

from collections.abc import Iterator

from engine.expressions import TAGS
from engine.playbook.model import ForeachStep, InputType, Playbook, RepeatStep, SetStep, Step
from engine.playbook.walking import all_steps, within

_ALERT_TEXTS = (
    "id endpoint source title body text kind type transition priority monitor_id monitor_name cycle_key "
    "aggregation_key scope metric query host link snapshot at last_updated org_id event_id"
)
ALERT_NAMES: dict[str, str] = {f"alert.{name}": "string" for name in _ALERT_TEXTS.split()} | {
    "alert.group": TAGS,
    "alert.tags": TAGS,
    "alert.tag_list": "list<string>",
    "alert.test": "bool",
    "alert.metadata": "map<string, dyn>",
}
RUN_NAMES = {
    f"run.{name}": "string" for name in ("id", "playbook", "revision", "url", "started_at", "status")
}
FAILURE_NAMES = {f"failure.{name}": "string" for name in ("step", "kind", "message")}
STEP_NAMES = {
    "output": "dyn",
    "status": "string",
    "error.kind": "string",
    "error.message": "string",
    "attempts": "int",
    "skipped": "bool",
}
LOOP_NAMES = {name: kind for name, kind in STEP_NAMES.items() if name != "output"} | {"outputs": "list<dyn>"}
"""A loop has one output for each iteration: a map of the outputs of its steps, by id."""
INPUT_TYPES: dict[InputType, str] = {
    "string": "string",
    "int": "int",
    "float": "double",
    "bool": "bool",
    "list": "list<dyn>",
    "map": "map<string, dyn>",
}


def is_named(path: str) -> bool:
    """Whether a step's path is an id that expressions can use (`#3` is not)."""
    return not path.startswith("#")


def names_of(playbook: Playbook) -> dict[str, str]:
    """Every name that exists anywhere in this playbook. Where each may be used is checked in `checks`."""
    names = ALERT_NAMES | RUN_NAMES | FAILURE_NAMES
    names |= {f"inputs.{name}": INPUT_TYPES[spec.type] for name, spec in playbook.inputs.items()}
    for step in all_steps(playbook):
        if is_named(step.path):
            names |= {f"steps.{step.path}.{name}": kind for name, kind in step_names(step).items()}
        if isinstance(step, SetStep):
            names |= {f"vars.{name}": "dyn" for name in step.values}
        elif isinstance(step, ForeachStep):
            names[step.variable] = "dyn"
        if isinstance(step, ForeachStep | RepeatStep):
            names["index"] = "int"
            names |= {f"item.{name}": kind for name, kind in _names_within(step)}
    return names


def _names_within(loop: ForeachStep | RepeatStep) -> Iterator[tuple[str, str]]:
    """What `item` has in the loop's `until`."""
    for step in within(loop.steps):
        if is_named(step.path):
            yield from ((f"{step.path}.{name}", kind) for name, kind in step_names(step).items())


def step_names(step: Step) -> dict[str, str]:
    """What can be said of a step of this kind, with types."""
    return LOOP_NAMES if isinstance(step, ForeachStep | RepeatStep) else STEP_NAMES
