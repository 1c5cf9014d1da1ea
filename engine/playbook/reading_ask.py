"""Reads a question to a person: `ask`."""

from typing import TYPE_CHECKING, get_args

from engine.playbook.fields import Fields
from engine.playbook.keys_flow import ASK
from engine.playbook.model import HOUR_MS, AskStep
from engine.playbook.problems import nearest
from engine.playbook.reading_kinds import continues
from engine.playbook.reading_trigger import MONTH_MS
from schemas.catalog import Role

if TYPE_CHECKING:
    from engine.playbook.reading_steps import StepReader

CHOICES_MAX = 20
CHOICE_CHARS_MAX = 100
_ROLES = get_args(Role)


def ask(reader: "StepReader", fields: Fields, path: str, condition: str) -> AskStep:
    """`ask`."""
    given = fields.value("ask")
    inner = Fields(given, ASK, reader.problems)
    if given is not None and isinstance(given.data, dict):
        for key in ("question", "choices", "on_timeout"):
            if key not in inner:
                inner.missing(key, _ASK_NEEDS[key])
    question = inner.value("question")
    if question is not None:
        reader.sites.template(question)
    choices = _choices(reader, inner)
    timeout_ms = inner.duration("timeout", HOUR_MS, 1_000, MONTH_MS)
    if "on_timeout" in inner:
        reader.check_time(inner, "timeout", timeout_ms)
    return AskStep(
        path=path,
        condition=condition,
        question=inner.text("question"),
        choices=choices,
        by=_by(reader, inner),
        timeout_ms=timeout_ms,
        on_timeout=_choice_of(reader, inner, "on_timeout", (*choices, "fail")),
        on_skip=_on_skip(reader, inner, condition, choices),
        continue_on_error=continues(fields),
    )


_ASK_NEEDS = {
    "question": "what is asked",
    "choices": "such as [restart, leave]",
    "on_timeout": "what is taken where nobody answers: a choice, or fail",
}


def _by(reader: "StepReader", inner: Fields) -> tuple[str, ...]:
    """Who may answer; a name that is no role and no token is likely a slip, as nobody else could."""
    value = inner.value("by")
    if value is None:
        return ()
    by = inner.texts("by")
    if value.data == ():
        reader.problems.error(value.mark, "an empty `by` lets nobody answer", "leave it out: operators may")
    known = (*_ROLES, *(reader.tokens or ()))
    for word in by:
        near = nearest(word, known, "-")
        if word in known or (near == "-" and reader.tokens is None):
            continue
        what = "no role" if reader.tokens is None else "no role and no token"
        fix = f"roles: {', '.join(_ROLES)}; or `pulsebook token create {word} --role ROLE`"
        reader.problems.warning(value.mark, f"`{word}` is {what}", fix if near == "-" else near)
    return by


def _choices(reader: "StepReader", inner: Fields) -> tuple[str, ...]:
    value = inner.value("choices")
    if value is None:
        return ()
    if not isinstance(value.data, tuple):
        inner.wrong("choices", "a list", "such as [restart, leave]")
        return ()
    choices = tuple(inner.texts_of("choices", value))
    twice = next((one for at, one in enumerate(choices) if one in choices[:at]), None)
    if not choices:
        reader.problems.error(value.mark, "there is nothing to choose", "such as [restart, leave]")
    elif len(choices) > CHOICES_MAX:
        reader.problems.error(value.mark, f"more than {CHOICES_MAX} choices", "ask two questions")
    elif twice is not None:
        reader.problems.error(value.mark, f"the choice `{twice}` is there twice", "leave one out")
    elif "fail" in choices:
        message = "a choice cannot be called `fail`, which means that the step fails"
        reader.problems.error(value.mark, message, "such as stop")
    elif wrong := next((one for one in choices if not one.strip() or len(one) > CHOICE_CHARS_MAX), None):
        message = f"a choice has 1 to {CHOICE_CHARS_MAX} characters, and one here has {len(wrong)}"
        reader.problems.error(value.mark, message, "one or two words; put the rest into the question")
    return choices


def _choice_of(reader: "StepReader", inner: Fields, key: str, options: tuple[str, ...]) -> str:
    value = inner.value(key)
    if value is None:
        return ""
    if isinstance(value.data, tuple | dict) or value.data is None:
        inner.wrong(key, "a choice", f"one of {', '.join(options)}")
    elif value.text not in options:
        reader.problems.error(
            value.mark, f"`{key}` is {value.text!r}, which is not a choice", f"one of {', '.join(options)}"
        )
    return value.text


def _on_skip(reader: "StepReader", inner: Fields, condition: str, choices: tuple[str, ...]) -> str:
    if condition and "on_skip" not in inner and inner.items:
        inner.missing("on_skip", "the choice that is taken where `if` is false and nobody is asked")
    elif not condition and "on_skip" in inner:
        message = "`on_skip` is for a question with `if`, and this one is always asked"
        reader.problems.error(inner.key_mark("on_skip"), message, "leave it out")
    return _choice_of(reader, inner, "on_skip", choices)
