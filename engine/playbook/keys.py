"""Every key of the language: where it stands, what it takes, what it does. Docs, checks and the schema for
editors are made of it.

`later` are keys that 3-playbooks describes and this version does not know yet: they are refused, and say so.
"""

from engine.playbook.key_tables import CONTINUE, ID, IF, NAME, PLAYBOOK_NAME, Key, Section
from engine.playbook.keys_flow import (
    ASK,
    ASK_STEP,
    FOREACH_STEP,
    PARALLEL_STEP,
    REPEAT,
    REPEAT_STEP,
    RUN_STEP,
    SWITCH_STEP,
    WAIT,
    WAIT_STEP,
)

TRANSITIONS = (
    "Triggered",
    "Re-Triggered",
    "Recovered",
    "Warn",
    "Re-Warn",
    "No Data",
    "Re-No Data",
    "Renotify",
    "Warn Recovered",
)
PRIORITIES = ("P1", "P2", "P3", "P4", "P5", "normal", "low")
PLAYBOOK = Section(
    "a playbook",
    (
        Key(
            "playbook",
            "name",
            "Unique name: a-z, 0-9 and `-`, at most 64.",
            "required",
            pattern=PLAYBOOK_NAME,
        ),
        Key("description", "text", "One sentence for lists and pages."),
        Key("owner", "text", "Who looks after it."),
        Key("labels", "map of text", "For search and grouping; they change nothing."),
        Key("on", "map", "What starts it: `alert`, `call`, or both.", "required", inside="`on`", low=1),
        Key(
            "inputs",
            "map of maps",
            "Values that a caller may give, by name.",
            inside="an input",
            pattern=NAME,
        ),
        Key("admission", "map", "What holds a start back.", inside="`admission`"),
        Key("timeout", "duration", "Bound of the whole run, 1s to 31d.", "1h"),
        Key("steps", "list of steps", "What is done, one after the other.", "required", low=1),
        Key("on_failure", "list of steps", "Done after a failure or the run's timeout, in 5 minutes."),
        Key("finally", "list of steps", "Done at the end whatever happened, in 5 minutes."),
        Key(
            "report",
            "list of words",
            "Which ends are posted to Datadog: failed, succeeded, cancelled.",
            "[failed]",
            choices=("failed", "succeeded", "cancelled"),
        ),
        Key(
            "outputs",
            "map with placeholders",
            "What the run gives back, from `steps` that have run.",
            pattern=NAME,
        ),
    ),
)
ON = Section(
    "`on`",
    (
        Key(
            "alert",
            "map, or list of maps",
            "Alerts that start it; any one of the list fits.",
            inside="`on.alert`",
        ),
        Key("call", "map", "May be started by hand: API and CLI. `{}` will do.", inside="`on.call`"),
    ),
)
ON_ALERT = Section(
    "`on.alert`",
    (
        Key("endpoint", "one or a list", "Names of the endpoints that received it."),
        Key("kind", "one or a list", "EVENT_TYPE, such as query_alert_monitor."),
        Key("monitor", "one or a list", "Monitor ids."),
        Key("tags", "map of one or a list", "Every key must be there with one of its values."),
        Key(
            "transition",
            "one or a list",
            "Datadog's transitions; an alert without one counts as Triggered.",
            "[Triggered, Warn, No Data]",
            choices=TRANSITIONS,
        ),
        Key("priority", "one or a list", "P1 to P5, as the monitor has it.", choices=PRIORITIES),
        Key("when", "expression", "True or false; sees `alert` only. An error counts as false."),
        Key("test", "true or false", "Whether [TEST] notifications start it, too.", "false"),
    ),
)
ON_CALL = Section("`on.call`", (Key("endpoints", "one or a list", "Hooks that may start it, too."),))
INPUT = Section(
    "an input",
    (
        Key(
            "type",
            "word",
            "string, int, float, bool, list or map.",
            "string",
            choices=("string", "int", "float", "bool", "list", "map"),
        ),
        Key(
            "default", "value with placeholders", "Sees `alert` and `run`. Without one the input is required."
        ),
        Key("required", "true or false", "`false` without a default: null where nobody gives it."),
        Key("description", "text", "What it is for."),
        Key("minimum", "number", "Of an int or float."),
        Key("maximum", "number", "Of an int or float."),
        Key("choices", "list", "The only values it takes."),
    ),
)
ADMISSION = Section(
    "`admission`",
    (
        Key(
            "key",
            "expression",
            "What is one incident; sees `alert` only.",
            "alert.monitor_id + '/' + alert.scope",
        ),
        Key("cooldown", "duration", "No second start of a key so soon after its last, 1s to 31d.", "none"),
        Key(
            "throttle",
            "map",
            "At most so many starts in such a time, all keys together.",
            inside="`admission.throttle`",
        ),
        Key(
            "while_running",
            "word",
            "A second start of a key: skip, queue or parallel.",
            "skip",
            choices=("skip", "queue", "parallel"),
        ),
        Key(
            "max_running",
            "whole number",
            "Runs of this playbook at once, 1 to 10000; more wait.",
            "20",
            low=1,
            high=10_000,
        ),
        Key("queue", "map", "Bounds of the waiting.", inside="`admission.queue`"),
        Key("on_recovered", "map", "What a recovery does.", inside="`admission.on_recovered`"),
    ),
)
THROTTLE = Section(
    "`admission.throttle`",
    (
        Key("limit", "whole number", "How many starts, 1 to 1000.", "required", low=1, high=1_000),
        Key("per", "duration", "In any time of this length, 1s to 31d.", "required"),
    ),
)
QUEUE = Section(
    "`admission.queue`",
    (
        Key("max", "whole number", "How many wait at most, 0 to 10000.", "50", low=0, high=10_000),
        Key("expires", "duration", "How long one waits at most, 1s to 31d.", "24h"),
    ),
)
ON_RECOVERED = Section(
    "`admission.on_recovered`",
    (
        Key("queued", "word", "Waiting starts of the key: drop or keep.", "drop", choices=("drop", "keep")),
        Key("running", "word", "The key's run: ignore or cancel.", "ignore", choices=("ignore", "cancel")),
    ),
)
ACTION_STEP = Section(
    "an action step",
    (
        ID._replace(default="required"),
        Key("action", "name", "What is done; see the actions.", "required"),
        IF,
        Key("with", "map with placeholders", "The action's inputs; secrets as `${{ secrets.NAME }}`."),
        Key("select", "map of expressions", "What is kept of the answer, each from `output`.", "all of it"),
        Key("retry", "map", "When it is tried again.", inside="`retry`"),
        Key("timeout", "duration", "Bound of one attempt, 100ms to 1h.", "1m"),
        Key("start_within", "duration", "Bound of the wait for a slot, 1s to 24h.", "10m"),
        Key("repeatable", "true or false", "Whether doing it twice is harmless.", "as the action says"),
        Key(
            "on_unknown",
            "word",
            "An unrepeatable step may or may not be done: fail, ask, continue, retry.",
            "fail",
            choices=("fail", "ask", "continue", "retry"),
        ),
        CONTINUE,
    ),
)
RETRY = Section(
    "`retry`",
    (
        Key("attempts", "whole number", "All attempts, the first included, 1 to 100.", "3", low=1, high=100),
        Key("delay", "duration", "Before the second attempt, 0s to 1d.", "1s"),
        Key("backoff", "number", "Each delay is the last one times this, 1 to 10.", "2", low=1, high=10),
        Key("max_delay", "duration", "No delay is longer, 0s to 1d.", "1m"),
        Key("within", "duration", "No attempt starts later than this after the first, 1s to 31d.", "1h"),
    ),
)
PUBLISH_STEP = Section(
    "a publish step",
    (Key("publish", "map", "Posts to the Datadog event stream.", inside="`publish`"), IF, ID),
)
PUBLISH = Section(
    "`publish`",
    (
        Key("title", "text with placeholders", "Cut at 100 characters by Datadog.", "required"),
        Key("text", "text with placeholders", "Cut at 4000 characters by Datadog."),
        Key("tags", "list of text with placeholders", "Tags beside our own."),
        Key(
            "alert_type",
            "word",
            "info, success, warning or error.",
            "info",
            choices=("info", "success", "warning", "error"),
        ),
        Key("priority", "word", "normal or low.", "normal", choices=("normal", "low")),
        Key("host", "text with placeholders", "Host it is about."),
        Key("aggregation_key", "text with placeholders", "Groups events.", "the run's"),
    ),
)
SET_STEP = Section(
    "a set step",
    (Key("set", "map with placeholders", "Gives values to `vars.<name>`.", pattern=NAME, low=1), IF, ID),
)
EXIT_STEP = Section(
    "an exit step",
    (Key("exit", "map", "Ends the run here; `finally` is still done.", inside="`exit`"), IF, ID),
)
EXIT = Section(
    "`exit`",
    (
        Key(
            "status",
            "word",
            "succeeded, failed or cancelled.",
            "succeeded",
            choices=("succeeded", "failed", "cancelled"),
        ),
        Key("reason", "text with placeholders", "Why."),
    ),
)
STEPS = {
    "action": ACTION_STEP,
    "publish": PUBLISH_STEP,
    "set": SET_STEP,
    "exit": EXIT_STEP,
    "foreach": FOREACH_STEP,
    "repeat": REPEAT_STEP,
    "parallel": PARALLEL_STEP,
    "switch": SWITCH_STEP,
    "wait": WAIT_STEP,
    "ask": ASK_STEP,
    "run": RUN_STEP,
}
"""Kind of a step, named by the key that makes it one, to its keys."""
SECTIONS = (
    PLAYBOOK,
    ON,
    ON_ALERT,
    ON_CALL,
    INPUT,
    ADMISSION,
    THROTTLE,
    QUEUE,
    ON_RECOVERED,
    *STEPS.values(),
    RETRY,
    PUBLISH,
    EXIT,
    REPEAT,
    WAIT,
    ASK,
)
