"""The keys of a test file: where each stands and what it takes. Docs and checks are made of it."""

from engine.alert.scope import ALERT_TEXTS
from engine.playbook.key_tables import Key, Section

FILE = Section(
    "a test file",
    (
        Key("playbook", "name", "The playbook under test; its file lies in the same folder.", "required"),
        Key("tests", "list of tests", "Each is a run of its own.", "required"),
    ),
)
CASE = Section(
    "a test",
    (
        Key("name", "text", "What it shows, as a sentence.", "required"),
        Key("alert", "map", "The alert, by the names that expressions see. None: started by hand."),
        Key("inputs", "map", "Inputs that the caller gives."),
        Key(
            "answers",
            "map",
            "What steps are told, by id or by path (`restart[0].kill`); a list: one for each attempt.",
        ),
        Key("expect", "map", "What must come of it. Only what is written is compared.", "required"),
    ),
)
EXPECT = Section(
    "`expect`",
    (
        Key("matches", "true or false", "Whether the alert fits `on.alert`. false: no run.", "true"),
        Key("status", "word", "How the run ends: succeeded, failed, cancelled."),
        Key("steps", "map of words", "Step to succeeded, failed, skipped, cancelled, unknown, not_reached."),
        Key("outputs", "map", "Outputs of the playbook, by name."),
        Key("published", "list", "What Datadog is told, in this order; []: nothing."),
        Key("asked", "list", "Questions to people, in this order; []: none."),
        Key("failure", "map", "Why the run failed."),
        Key(
            "events",
            "list",
            "What the journal tells, in this order: names of events, or {event: NAME} with fields of it.",
        ),
    ),
)
PUBLISHED = Section(
    "a text of `published`",
    (
        Key("title", "text", "Its title."),
        Key("text", "text", "Its text."),
        Key("tags", "list of text", "Tags that must be among its own."),
        Key("alert_type", "word", "Its status in Datadog: info, success, warning, error."),
        Key("priority", "word", "normal, low."),
    ),
)
ASKED = Section(
    "a question of `asked`",
    (
        Key("step", "text", "Path of the step that asks."),
        Key("question", "text", "What it asks."),
        Key("choices", "list of text", "All choices."),
    ),
)
FAILURE = Section(
    "`failure`",
    (
        Key("step", "text", "Path of the step that failed; empty for the run's own timeout."),
        Key("kind", "word", "Kind of failure, as `failure.kind`."),
        Key("message", "text", "What the message holds, anywhere in it."),
    ),
)
ANSWER = Section(
    "an answer",
    (
        Key("output", "any", "The step succeeds with this output, as it is after `select`."),
        Key(
            "error",
            "word",
            "It fails with this kind; a child: failed, cancelled, refused, held_back, dropped, expired.",
        ),
        Key("message", "text", "Why it fails."),
        Key(
            "unknown",
            "true or false",
            "Whether it may have had its effect all the same; matters for a step that is not repeatable.",
            "true for timeout, http_5xx, bad_output, internal",
        ),
        Key("choice", "text", "What a person answers; the word alone does, too."),
        Key("by", "text", "Who answers."),
        Key("comment", "text", "Their remark."),
        Key("recovered", "true or false", "Of a wait: whether the alert recovers, at once."),
        Key("recovered_after", "duration", "Of a wait: the alert recovers so long after the wait began."),
        Key("after", "duration", "How long it takes, in the run's time.", "0s"),
    ),
)
ALERT = Section(
    "`alert`",
    (
        *(Key(name, "text", "") for name in ALERT_TEXTS),
        Key("tags", "map", "Key to a text, or to a list of texts."),
        Key("tag_list", "list of text", "Tags as they come, instead of `tags`."),
        Key("group", "map", "What fired, instead of `scope`."),
        Key("at", "time", "RFC 3339."),
        Key("last_updated", "time", "RFC 3339."),
        Key("test", "true or false", "A [TEST] notification."),
        Key("metadata", "map", "The metadata object as received."),
    ),
)
