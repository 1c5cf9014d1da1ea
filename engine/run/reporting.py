"""The texts that Datadog gets: finished here, posted by the sink as they are. Whether to report is
`engine.run.ending`.

An `@` in front of a name is a mention in Datadog and calls people. In the playbook's own words it does so;
in what an alert, an output or a person said it is made harmless.
"""

import re
from collections.abc import Mapping
from typing import Any, Literal

from engine.expressions_values import as_json, as_text
from engine.playbook.compiled import Compiled
from engine.playbook.model import PublishStep
from engine.playbook.templates import parse
from engine.retry import seconds
from engine.run.failing import cut
from engine.run.frames import frame_at, prefix_of
from engine.run.scope import Scope
from engine.run.state import Run, Verdict
from schemas.events import Ending, Reported

TITLE_MAX, TEXT_MAX, AGGREGATION_KEY_MAX, TAG_MAX, TAGS_MAX = 100, 4_000, 100, 200, 100
"""Datadog's limits: characters, and how many tags."""

_MENTION = re.compile(r"@(?=\w)")
_TYPES: Mapping[Ending, Literal["success", "error", "warning"]] = {
    "succeeded": "success",
    "failed": "error",
    "cancelled": "warning",
}


def harmless(text: str) -> str:
    """Echoed text without mentions: a zero-width space parts the `@` from the name."""
    return _MENTION.sub("@\u200b", text)


def published(run: Run, step: PublishStep, book: Compiled) -> Reported:
    """The text of a `publish`. Raises ExpressionError."""
    scope = Scope(run, frame_at(run, book, prefix_of(step.path)))

    def filled(text: str) -> str:
        parts = parse(text)
        return "".join(
            part if isinstance(part, str) else harmless(as_text(book.evaluate(part.text, scope)))
            for part in parts
        )

    title = filled(step.title).strip() or f"Playbook {run.playbook}"
    return Reported(
        step=step.path,
        kind="publish",
        title=cut(title, TITLE_MAX),
        text=cut(filled(step.text) or title, TEXT_MAX),
        tags=_tags(run, [filled(tag) for tag in step.tags]),
        alert_type=step.alert_type,
        priority=step.priority,
        host=filled(step.host),
        aggregation_key=cut(filled(step.aggregation_key) or run.run_id, AGGREGATION_KEY_MAX),
    )


def own_report(run: Run, verdict: Verdict, outputs: Any, at_ms: int) -> Reported:
    """What is said of a run's end."""
    titles: Mapping[Ending, str] = {
        "succeeded": f"Playbook {run.playbook} succeeded",
        "failed": f"Playbook {run.playbook} failed" + (f" at step {verdict.step}" if verdict.step else ""),
        "cancelled": f"Playbook {run.playbook} was cancelled",
    }
    alert = run.pinned.alert
    return Reported(
        kind=verdict.status,
        title=cut(titles[verdict.status], TITLE_MAX),
        text=cut("\n".join(_lines(run, verdict, outputs, at_ms)), TEXT_MAX),
        tags=_tags(run, [f"status:{verdict.status}"]),
        alert_type=_TYPES[verdict.status],
        host=alert.host if alert else "",
        aggregation_key=run.run_id,
    )


def _lines(run: Run, verdict: Verdict, outputs: Any, at_ms: int) -> list[str]:
    took = seconds(max(at_ms - run.started_at_ms, 0))
    lines = [f"Run {run.run_id} of playbook {run.playbook} {verdict.status} after {took}."]
    if verdict.step:
        lines.append(f"Step: {verdict.step}{_attempts(run, verdict.step)}")
    if verdict.kind or verdict.message:
        lines.append(
            "Reason: " + harmless(cut(": ".join(filter(None, (verdict.kind, verdict.message))), 1_500))
        )
    if outputs:
        lines.append("Outputs: " + harmless(cut(as_json(outputs), 1_000)))
    pinned = run.pinned
    if pinned.alert is not None:
        lines.append("Alert: " + harmless(cut(pinned.alert.title or pinned.alert.id, 300)))
    if pinned.actor:
        lines.append("Started by: " + harmless(pinned.actor))
    if pinned.run_url:
        lines.append("Link: " + pinned.run_url)
    return lines


def _attempts(run: Run, path: str) -> str:
    state = run.steps.get(path)
    if state is None or state.attempt == 0:
        return ""
    return f", {state.attempt} attempt{'s' if state.attempt > 1 else ''}"


def _tags(run: Run, more: list[str]) -> tuple[str, ...]:
    """Ours first, so that none is lost to the limit; no tag twice."""
    tags = ["source:pulsebook", f"playbook:{run.playbook}", f"run:{run.run_id}", *more]
    unique = dict.fromkeys(cut(tag.strip(), TAG_MAX) for tag in tags if tag.strip())
    return tuple(unique)[:TAGS_MAX]
