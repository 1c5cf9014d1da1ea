"""What a playbook is once it was read and checked: frozen values, durations in ms, defaults filled in.

How YAML becomes this lives in `engine.playbook.reading`; what may be wrong with it in
`engine.playbook.checks`. Expressions are kept as text: `engine.expressions` compiles them.
"""

from typing import Any, Literal

import msgspec

HOUR_MS = 3_600_000
BLOCK_MS = 300_000
"""How long `on_failure` has, and `finally`."""
InputType = Literal["string", "int", "float", "bool", "list", "map"]
OnUnknown = Literal["fail", "ask", "continue", "retry"]
ReportKind = Literal["failed", "succeeded", "cancelled"]


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all parts of a playbook."""


class AlertTrigger(Part, frozen=True, kw_only=True):
    """`on.alert`: all given fields must hold; an empty field asks nothing."""

    endpoint: tuple[str, ...] = ()
    kind: tuple[str, ...] = ()
    monitor: tuple[str, ...] = ()
    """Monitor ids as text."""
    tags: dict[str, tuple[str, ...]] = {}
    """Tag key to wanted values; holds if any value of the tag is listed."""
    transition: tuple[str, ...] = ("Triggered", "Warn", "No Data")
    priority: tuple[str, ...] = ()
    when: str = ""
    test: bool = False


class CallTrigger(Part, frozen=True, kw_only=True):
    """`on.call`: who may start it by hand. No endpoints: API, CLI and other playbooks only."""

    endpoints: tuple[str, ...] = ()


class InputSpec(Part, frozen=True, kw_only=True):
    """One declared input. `default` may hold placeholders; `required` means it has none."""

    type: InputType = "string"
    default: Any = None
    required: bool = False
    description: str = ""
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[Any, ...] = ()


class Admission(Part, frozen=True, kw_only=True):
    """`admission`: what holds a start back."""

    key: str = "alert.monitor_id + '/' + alert.scope"
    while_running: Literal["skip", "queue", "parallel"] = "skip"
    max_running: int = 20
    queue_max: int = 50
    queue_expires_ms: int = 24 * HOUR_MS
    on_recovered_queued: Literal["drop", "keep"] = "drop"
    on_recovered_running: Literal["ignore", "cancel"] = "ignore"
    cooldown_ms: int = 0
    """Between two starts of a key; 0: none."""
    throttle_limit: int = 0
    """Starts within `throttle_per_ms`, all keys together; 0: as many as come."""
    throttle_per_ms: int = 0


class Retry(Part, frozen=True, kw_only=True):
    """`retry`: two bounds always, attempts and elapsed time."""

    attempts: int = 3
    delay_ms: int = 1_000
    backoff: float = 2.0
    max_delay_ms: int = 60_000
    within_ms: int = HOUR_MS


class ActionStep(Part, frozen=True, kw_only=True, tag="action"):
    """A step that the executor carries out."""

    path: str
    """The step's id: its name in `steps.<id>` and everywhere else."""
    action: str
    condition: str = ""
    """`if`; empty: always."""
    arguments: Any = {}
    """`with`: JSON object with placeholders."""
    select: dict[str, str] | None = None
    retry: Retry | None = None
    """None: the default of 3-playbooks.md, which depends on whether the step is repeatable."""
    timeout_ms: int = 60_000
    start_within_ms: int = 600_000
    repeatable: bool | None = None
    """None: as the action says."""
    on_unknown: OnUnknown = "fail"
    continue_on_error: bool = False


class PublishStep(Part, frozen=True, kw_only=True, tag="publish"):
    """A step that posts to the Datadog event stream. No output."""

    path: str
    """`#N`, N counting all steps of the playbook from 1, unless it has an id."""
    condition: str = ""
    title: str
    text: str = ""
    tags: tuple[str, ...] = ()
    alert_type: Literal["info", "success", "warning", "error"] = "info"
    priority: Literal["normal", "low"] = "normal"
    host: str = ""
    aggregation_key: str = ""


class SetStep(Part, frozen=True, kw_only=True, tag="set"):
    """A step that gives values to variables."""

    path: str
    condition: str = ""
    values: Any
    """Name to value with placeholders (JSON object)."""


class ExitStep(Part, frozen=True, kw_only=True, tag="exit"):
    """A step that ends the run (its block's remaining steps do not run; `finally` does)."""

    path: str
    condition: str = ""
    status: Literal["succeeded", "failed", "cancelled"] = "succeeded"
    reason: str = ""


class ForeachStep(Part, frozen=True, kw_only=True, tag="foreach"):
    """A loop over the items of a list, some of them at once. Each iteration runs all of `steps`."""

    path: str
    condition: str = ""
    items: str
    """Expression that gives the list."""
    variable: str
    """`as`: the name of the item in expressions."""
    concurrency: int = 1
    until: str = ""
    """Asked after each iteration; true: no new one begins."""
    steps: "tuple[Step, ...]"
    continue_on_error: bool = False


class RepeatStep(Part, frozen=True, kw_only=True, tag="repeat"):
    """Runs `steps` again and again until `until` is true. Running out of `times` fails with `exhausted`."""

    path: str
    condition: str = ""
    until: str
    times: int
    every_ms: int = 0
    """From the beginning of one iteration to that of the next; one that takes longer delays the next."""
    steps: "tuple[Step, ...]"
    continue_on_error: bool = False


class Branch(Part, frozen=True, kw_only=True):
    """One branch of a `parallel`."""

    name: str
    steps: "tuple[Step, ...]"


class ParallelStep(Part, frozen=True, kw_only=True, tag="parallel"):
    """Branches that run side by side; it has ended when all of them have."""

    path: str
    condition: str = ""
    branches: tuple[Branch, ...]
    continue_on_error: bool = False


class Case(Part, frozen=True, kw_only=True):
    """One case of a `switch`: taken where the value's text is `value`."""

    value: str
    steps: "tuple[Step, ...]"


class SwitchStep(Part, frozen=True, kw_only=True, tag="switch"):
    """Runs the steps of the case that the value's text names, else those of `default`."""

    path: str
    condition: str = ""
    value: str
    """Expression."""
    cases: tuple[Case, ...]
    default: "tuple[Step, ...]" = ()
    continue_on_error: bool = False


class WaitStep(Part, frozen=True, kw_only=True, tag="wait"):
    """Waits for a time, or until the alert has recovered, at most for a time. Its output: `recovered`."""

    path: str
    condition: str = ""
    until: Literal["time", "recovered"]
    wait_ms: int


class AskStep(Part, frozen=True, kw_only=True, tag="ask"):
    """Asks a person. Its output: `choice`, `by`, `comment`."""

    path: str
    condition: str = ""
    question: str
    choices: tuple[str, ...]
    by: tuple[str, ...] = ()
    """Roles or names of those who may answer; empty: whoever may operate."""
    timeout_ms: int = HOUR_MS
    on_timeout: str
    """A choice, or `fail`."""
    on_skip: str = ""
    """The choice that a skipped question answers with."""
    continue_on_error: bool = False


class RunStep(Part, frozen=True, kw_only=True, tag="run"):
    """Starts another playbook and waits for its end. Its output: the outputs of that run."""

    path: str
    condition: str = ""
    playbook: str
    arguments: Any = {}
    """`with`: the child's inputs, a JSON object with placeholders."""
    continue_on_error: bool = False


LoopStep = ForeachStep | RepeatStep
ContainerStep = ForeachStep | RepeatStep | ParallelStep | SwitchStep
Step = (
    ActionStep
    | PublishStep
    | SetStep
    | ExitStep
    | ForeachStep
    | RepeatStep
    | ParallelStep
    | SwitchStep
    | WaitStep
    | AskStep
    | RunStep
)


class Playbook(Part, frozen=True, kw_only=True):
    """One playbook. Its canonical JSON (this struct, keys sorted, defaults included) makes its digest."""

    name: str
    description: str = ""
    owner: str = ""
    labels: dict[str, str] = {}
    alerts: tuple[AlertTrigger, ...] = ()
    """Any one fits."""
    call: CallTrigger | None = None
    inputs: dict[str, InputSpec] = {}
    admission: Admission = Admission()
    timeout_ms: int = HOUR_MS
    steps: tuple[Step, ...] = ()
    on_failure: tuple[Step, ...] = ()
    finally_: tuple[Step, ...] = ()
    report: tuple[ReportKind, ...] = ("failed",)
    outputs: Any = {}
    """Name to value with placeholders (JSON object)."""
