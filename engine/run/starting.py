"""How a run comes to be: everything pinned, inputs resolved; or why it fails before its first step
(`bad_input`).
"""

from collections.abc import Collection, Iterator
from typing import Any

from msgspec.structs import replace

from engine.expressions import ExpressionError
from engine.playbook.compiled import Compiled
from engine.playbook.templates import Placeholder, TemplateError, is_template, parse
from engine.playbook.walking import expressions_of, templates_of
from engine.run.ending import end_at_once
from engine.run.evolving import born
from engine.run.inputs import resolve
from engine.run.scope import Scope
from engine.run.state import Stamp
from schemas.errors import MalformedMessage
from schemas.events import RunEvent, RunStarted
from schemas.inbox import RunRequested
from schemas.json import canonical

WITHOUT_ALERT = "the playbook uses `alert`, and it was started without one"


def start(request: RunRequested, at_ms: int, book: Compiled) -> tuple[RunEvent, ...]:
    """RunStarted, and the run's end at once where its inputs are wrong or it lacks its alert."""
    given = request.inputs if isinstance(request.inputs, dict) else {}
    started = replace(started_by(request, at_ms + book.playbook.timeout_ms), inputs=given)
    run = born(started, Stamp(request.run_id, 0, 0, at_ms))
    values, problem = resolve(book, given, Scope(run))
    if request.inputs is not given:
        problem = f"inputs are {type(request.inputs).__name__}, but should be an object of name and value"
    try:
        canonical(values)
    except MalformedMessage as error:
        values, problem = {}, f"inputs: {error}"
    if request.alert is None and uses_alert(book, given):
        problem = f"{WITHOUT_ALERT}{'; ' if problem else ''}{problem}"
    if not problem:
        return (replace(started, inputs=values),)
    started = replace(started, inputs={**given, **values})
    return (started, *end_at_once(run, "bad_input", "", problem, book.playbook.report, at_ms))


def started_by(request: RunRequested, due_ms: int) -> RunStarted:
    """The request as the run's first event; inputs as they were given."""
    return RunStarted(
        playbook=request.playbook,
        revision=request.revision,
        engine=request.engine,
        request_id=request.request_id,
        via=request.via,
        actor=request.actor,
        key=request.key,
        alert=request.alert,
        inputs=request.inputs,
        actions=request.actions,
        limits=request.limits,
        run_url=request.run_url,
        parent=request.parent,
        children=request.children,
        rerun=request.rerun,
        due_ms=due_ms,
    )


def uses_alert(book: Compiled, given: Collection[str] = ()) -> bool:
    """Whether anything that a run evaluates names the alert; defaults of inputs that are given do not
    count.
    """
    return any(_names_alert(book, text) for text in _expressions(book, given))


def _names_alert(book: Compiled, text: str) -> bool:
    try:
        return any(use.name.startswith("alert.") for use in book.program(text).uses)
    except ExpressionError:
        return False  # it fails the step that needs it, with the reason


def _expressions(book: Compiled, given: Collection[str]) -> Iterator[str]:
    playbook = book.playbook
    for name, spec in playbook.inputs.items():
        if name not in given:
            yield from _placeholders(spec.default)
    for step in book.steps.values():
        yield from expressions_of(step)
        yield from _placeholders(templates_of(step))
    yield from _placeholders(playbook.outputs)


def _placeholders(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for item in value.values():
            yield from _placeholders(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _placeholders(item)
    elif isinstance(value, str) and is_template(value):
        try:
            parts = parse(value)
        except TemplateError:
            return
        yield from (part.text for part in parts if isinstance(part, Placeholder) and not part.secret)
