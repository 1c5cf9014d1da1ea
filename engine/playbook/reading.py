"""Reads the text of a playbook file: a checked `Playbook`, or all that is wrong with it.

The order: text to values (`engine.yaml_text`), values to the model (`reading_trigger`, `reading_steps`), then
what needs the whole (`checks`: every expression, what may be named where). A playbook with an error is never
given out.
"""

import re
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from engine.playbook.checks import check_sites
from engine.playbook.fields import Fields, kind_of
from engine.playbook.keys import PLAYBOOK
from engine.playbook.model import BLOCK_MS, HOUR_MS, Playbook
from engine.playbook.own_events import check_own_events
from engine.playbook.positions import Position
from engine.playbook.problems import Problem, Problems
from engine.playbook.reading_steps import DEFAULT_LIMITS, Limits, StepReader
from engine.playbook.reading_trigger import (
    MONTH_MS,
    PLAYBOOK_NAME,
    read_admission,
    read_inputs,
    read_name,
    read_on,
)
from engine.playbook.sites import Sites
from engine.yaml_text import read_yaml
from engine.yaml_values import Value, YamlFault
from schemas.actions import ActionSpec

_ENDS = ("failed", "succeeded", "cancelled")


class Read(NamedTuple):
    """What reading came to. `playbook` is None where any problem is an error."""

    playbook: Playbook | None
    problems: tuple[Problem, ...]
    value: Value | None = None
    """The file as YAML; None where it is none."""


def read(
    text: str,
    filename: str,
    known: Mapping[str, ActionSpec],
    endpoints: Collection[str] | None = None,
    secrets: Collection[str] | None = None,
    limits: Limits = DEFAULT_LIMITS,
    tokens: Collection[str] | None = None,
) -> Read:
    """Reads a playbook. `known`: actions by name; `endpoints`, `secrets`, `tokens`: names that exist, None:
    unknown.
    """
    problems = Problems(filename)
    try:
        value = read_yaml(text, limits.bytes_max)
    except YamlFault as fault:
        problems.error(fault.mark, str(fault), fault.fix)
        return Read(None, problems.sorted())
    sites = Sites(problems)
    reader = StepReader(sites, known, limits, tokens)
    playbook = _playbook(value, sites, reader, endpoints)
    check_sites(playbook, reader.positions, sites.found, problems, secrets)
    check_own_events(playbook, value, problems)
    return Read(None if problems.fatal else playbook, problems.sorted(), value)


def _playbook(value: Value, sites: Sites, reader: StepReader, endpoints: Collection[str] | None) -> Playbook:
    fields = Fields(value, PLAYBOOK, sites.problems)
    name = _name(fields, value)
    for key in ("on", "steps"):
        if key not in fields and isinstance(value.data, dict):
            fields.missing(key)
    alerts, call = read_on(fields.value("on"), sites, endpoints)
    timeout_ms = fields.duration("timeout", HOUR_MS, 1_000, MONTH_MS)
    steps = reader.block(fields, "steps", timeout_ms)
    after_steps = reader.after_steps
    given = fields.value("steps")
    if given is not None and given.data == ():
        sites.problems.error(given.mark, "a playbook without steps does nothing", "write at least one")
    return Playbook(
        name=name,
        description=fields.text("description"),
        owner=fields.text("owner"),
        labels=_labels(fields),
        alerts=alerts,
        call=call,
        inputs=read_inputs(fields.map("inputs"), sites, bool(alerts)),
        admission=read_admission(fields.map("admission"), sites),
        timeout_ms=timeout_ms,
        steps=steps,
        on_failure=reader.block(fields, "on_failure", BLOCK_MS),
        finally_=reader.block(fields, "finally", BLOCK_MS),
        report=_report(fields),
        outputs=_outputs(fields, sites, after_steps),
    )


def _name(fields: Fields, value: Value) -> str:
    if "playbook" not in fields:
        if isinstance(value.data, dict):
            fields.missing("playbook", "its name")
        return ""
    name = fields.text("playbook")
    given = fields.items["playbook"]
    if isinstance(given.data, str) and not PLAYBOOK_NAME.fullmatch(name):
        better = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:64]
        fix = "a-z, 0-9 and `-`, at most 64 characters" + (f", such as `{better}`" if better else "")
        fields.problems.error(given.mark, f"a playbook cannot be called {name!r}", fix)
    return name


def _labels(fields: Fields) -> dict[str, str]:
    labels = fields.map("labels")
    if labels is None:
        return {}
    for key, value in labels.data.items():
        if isinstance(value.data, tuple | dict):
            fields.problems.error(value.mark, f"the label `{key}` should be text, and is {kind_of(value)}")
    return {key: value.text for key, value in labels.data.items()}


def _report(fields: Fields) -> tuple[Any, ...]:
    report = fields.texts("report", ("failed",))
    wrong = [end for end in report if end not in _ENDS]
    value = fields.value("report")
    if wrong and value is not None:
        fields.problems.error(value.mark, f"`report` cannot hold {wrong[0]!r}", f"any of {', '.join(_ENDS)}")
        return ("failed",)
    return tuple(dict.fromkeys(report))


def _outputs(fields: Fields, sites: Sites, after_steps: Position) -> dict[str, Any]:
    outputs = fields.map("outputs")
    if outputs is None:
        return {}
    for name, mark in outputs.keys.items():
        read_name(name, mark, "an output", sites.problems)
    sites.stage, sites.at = "outputs", after_steps
    sites.template(outputs)
    plain: dict[str, Any] = outputs.plain()
    return plain
