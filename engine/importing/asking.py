"""The interactive question of StackPulse as an `ask` of ours."""

import json
import re
from typing import Any

from engine.importing.source import Source, below, is_set, scalar_text
from engine.playbook.durations import as_duration, duration_ms
from engine.playbook.reading_ask import CHOICES_MAX
from engine.yaml_values import Mark, Value
from engine.yaml_writing import Commented

_TIMEOUT = "10m"
"""What their question waited where nothing was said."""
_STAND_IN = ["proceed", "stop"]
_KNOWN = (
    *("QUESTION", "HEADER_MESSAGE", "RESPONSES", "SELECTOR_TYPE", "TIMEOUT", "DEFAULT_RESPONSE"),
    *("ALLOW_NONE", "RECIPIENTS", "SP_REDIRECT_URL", "SP_FORMATTER", "IMAGE_URL", "IMAGE_TEXT"),
)


def asked(env: Value | None, mark: Mark, source: Source) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The map below `ask`, and notes that stand above the step."""
    notes: list[str] = []
    choices = _choices(env, mark, source)
    made: dict[str, Any] = {"question": _question(env, source), "choices": choices}
    made["timeout"] = _timeout(below(env, "TIMEOUT"), source)
    options = choices.value if isinstance(choices, Commented) else choices
    made["on_timeout"] = _on_timeout(env, mark, options, source)
    to = below(env, "RECIPIENTS")
    if to is not None and scalar_text(to):
        message = (
            f"was asked in Slack ({scalar_text(to).strip()}); here by API and CLI, as the run's page says"
        )
        notes.append(source.notes.add(to.mark, message))
    selector = below(env, "SELECTOR_TYPE")
    if selector is not None and scalar_text(selector) == "MULTI_SELECT":
        notes.append(source.notes.add(selector.mark, "one choice is taken here, not several"))
    for name, value in (env.data if env is not None and isinstance(env.data, dict) else {}).items():
        if name not in _KNOWN:
            notes.append(source.notes.add(value.mark, f"the input `{name}` is left out"))
    return made, tuple(notes)


def _question(env: Value | None, source: Source) -> Any:
    texts = [
        source.text(given)
        for name in ("HEADER_MESSAGE", "QUESTION")
        if (given := below(env, name)) is not None and scalar_text(given)
    ]
    comments = tuple(note for text in texts if isinstance(text, Commented) for note in text.comments)
    plain = [text.value if isinstance(text, Commented) else text for text in texts]
    question = " ".join(text.strip() for text in plain) or "How to go on?"
    return Commented(question, comments) if comments else question


def _choices(env: Value | None, mark: Mark, source: Source) -> Any:
    """The choices, written out; where they were only known at run time, stand-ins with a note."""
    given = below(env, "RESPONSES")
    text = scalar_text(given).strip()
    fixed = "" if text.startswith("{{") else text.partition("{{")[0]
    found = _listed(fixed)
    if is_set(below(env, "ALLOW_NONE")) and "None" not in found:
        found.append("None")
    found = found[:CHOICES_MAX]
    if "{{" not in text and found:
        return found
    message = f"choices are written out here, and were `{text}`"
    return Commented(found or list(_STAND_IN), (source.notes.add(given.mark if given else mark, message),))


def _listed(text: str) -> list[str]:
    """A JSON list or a comma list, each choice once."""
    try:
        items = json.loads(text) if text.startswith("[") else text.split(",")
    except (ValueError, RecursionError):
        items = text.split(",")
    return list(dict.fromkeys(each for item in items if (each := str(item).strip())))


def _timeout(given: Value | None, source: Source) -> Any:
    text = scalar_text(given).strip()
    if given is None or not text:
        return _TIMEOUT
    found = duration_ms(re.sub(r"\b0[hms]", "", text)) if "{{" not in text else None
    if found:
        return as_duration(found)
    note = source.notes.add(given.mark, f"the timeout is written out here, and was `{text}`")
    return Commented(_TIMEOUT, (note,))


def _on_timeout(env: Value | None, mark: Mark, choices: list[str], source: Source) -> Any:
    given = below(env, "DEFAULT_RESPONSE")
    wanted = "None" if is_set(below(env, "ALLOW_NONE")) else scalar_text(given).strip()
    at = given.mark if given is not None else mark
    if wanted in choices:
        message = f"without an answer it is `{wanted}`: look whether that is harmless"
        return wanted if wanted.lower() in _HARMLESS else Commented(wanted, (source.notes.add(at, message),))
    said = (
        f"`{wanted}` is none of the choices" if wanted else "it was not said what happens without an answer"
    )
    return Commented("fail", (source.notes.add(at, f"{said}: the step fails"),))


_HARMLESS = frozenset({"no", "none", "nothing", "cancel", "leave", "ignore", "skip", "stop", "abort"})
"""Answers that do nothing, as far as one can tell from the word."""
