"""The keys of steps that hold other steps, wait, ask or run another playbook. All others: `keys`."""

from engine.playbook.key_tables import CONTINUE, ID, IF, NAME, PLAYBOOK_NAME, Key, Section

_STEPS = Key("steps", "list of steps", "What each iteration does, one after the other.", "required", low=1)
FOREACH_STEP = Section(
    "a foreach step",
    (
        ID._replace(default="required"),
        Key("foreach", "expression", "The list whose items it goes through, at most 1000.", "required"),
        IF,
        Key(
            "as",
            "name",
            "What an iteration calls its item; `index` is its place, from 0.",
            "required",
            pattern=NAME,
        ),
        Key("concurrency", "whole number", "Iterations at once, 1 to 100.", "1", low=1, high=100),
        Key("until", "expression", "Asked after each iteration, sees its steps; true: no new one begins."),
        _STEPS,
        CONTINUE,
    ),
)
REPEAT_STEP = Section(
    "a repeat step",
    (
        ID._replace(default="required"),
        Key("repeat", "map", "How often, and until what.", "required", inside="`repeat`"),
        IF,
        _STEPS,
        CONTINUE,
    ),
)
REPEAT = Section(
    "`repeat`",
    (
        Key("until", "expression", "Asked after each iteration, sees its steps; true: done.", "required"),
        Key(
            "times",
            "whole number",
            "Iterations at most, 1 to 1000; then it fails with `exhausted`.",
            "required",
            low=1,
            high=1_000,
        ),
        Key("every", "duration", "From the beginning of one iteration to that of the next, 0s to 1d.", "0s"),
    ),
)
PARALLEL_STEP = Section(
    "a parallel step",
    (
        Key(
            "parallel",
            "map of lists of steps",
            "Branches by name; they run side by side.",
            "required",
            low=1,
            high=50,
        ),
        IF,
        ID,
        CONTINUE,
    ),
)
SWITCH_STEP = Section(
    "a switch step",
    (
        Key("switch", "expression", "Its text chooses the case.", "required"),
        Key("cases", "map of lists of steps", "Steps by the text that chooses them.", "required", low=1),
        Key("default", "list of steps", "What is done where no case fits.", "nothing"),
        IF,
        ID,
        CONTINUE,
    ),
)
WAIT_STEP = Section(
    "a wait step",
    (Key("wait", "map", "For a time, or until the alert has recovered.", inside="`wait`", low=1), IF, ID),
)
WAIT = Section(
    "`wait`",
    (
        Key("for", "duration", "How long, 1s to 31d."),
        Key(
            "until",
            "word",
            "recovered: until the alert that started the run has recovered.",
            choices=("recovered",),
            needs="timeout",
        ),
        Key("timeout", "duration", "How long at most, with `until`, 1s to 31d.", "required with until"),
    ),
)
ASK_STEP = Section(
    "an ask step",
    (
        ID._replace(default="required"),
        Key("ask", "map", "Asks a person and waits for the answer.", "required", inside="`ask`"),
        IF,
        CONTINUE,
    ),
)
ASK = Section(
    "`ask`",
    (
        Key("question", "text with placeholders", "What is asked.", "required"),
        Key("choices", "list of text", "Possible answers, 1 to 20.", "required", low=1, high=20),
        Key(
            "by",
            "one or a list",
            "Roles or names of tokens that may answer.",
            "operator",
            choices=("viewer", "operator", "admin", "owner"),
        ),
        Key("timeout", "duration", "How long it waits, 1s to 31d.", "1h"),
        Key(
            "on_timeout",
            "one of its choices",
            "What is taken where nobody answers: a choice, or fail.",
            "required",
        ),
        Key(
            "on_skip",
            "one of its choices",
            "The choice that a skipped question answers with.",
            "required with if",
        ),
    ),
    later={"via": "leave it out; a step before it can post `run.url`, which says how to answer"},
)
RUN_STEP = Section(
    "a run step",
    (
        ID._replace(default="required"),
        Key(
            "run",
            "name",
            "The playbook that is started and waited for; it needs `on.call`.",
            "required",
            pattern=PLAYBOOK_NAME,
        ),
        IF,
        Key("with", "map with placeholders", "Its inputs.", pattern=NAME),
        CONTINUE,
    ),
)
