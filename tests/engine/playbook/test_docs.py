"""docs/playbooks.md shows the keys and names that exist. Run this module to write its generated part."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from connectors.actions.registry import specs
from engine.alert.scope import alert_scope
from engine.expressions import Environment, neutral
from engine.playbook import keys
from engine.playbook.names import ALERT_NAMES, FAILURE_NAMES, INPUT_TYPES, RUN_NAMES, STEP_NAMES
from engine.playbook.reading import read
from schemas.alerts import Alert

DOCS = Path(__file__).parents[3] / "docs" / "playbooks.md"
BEGIN = "<!-- generated from engine/playbook/: python -m tests.engine.playbook.test_docs -->\n"
END = "<!-- end -->"
MORE_WORDS = {
    "alert.at": "DATE as RFC 3339 text in UTC; empty where not given; see `timestamp()`.",
    "alert.last_updated": "LAST_UPDATED, the same.",
    "alert.group": "Tags of ALERT_SCOPE: what fired. Key to value.",
    "alert.tags": "TAGS, key to value; a bare tag has the value empty.",
    "run.id": "Id of the run.",
    "run.playbook": "Name of the playbook.",
    "run.revision": "Its revision: SHA-256 of its canonical form.",
    "run.url": "Where the run is shown.",
    "run.started_at": "RFC 3339 text in UTC.",
    "run.status": "In `finally`: succeeded, failed or cancelled.",
    "failure.step": "The step that failed; empty for the run's own timeout.",
    "failure.kind": "Kind of failure.",
    "failure.message": "What went wrong.",
    "steps.<id>.output": "What the action answered, after `select`; null until it succeeded.",
    "steps.<id>.status": "succeeded, failed, skipped or unknown; empty where it was not reached.",
    "steps.<id>.error.kind": "Kind of failure; empty where it did not fail.",
    "steps.<id>.error.message": "What went wrong.",
    "steps.<id>.attempts": "How often it was begun.",
    "steps.<id>.outputs": "Of a loop, in the place of `output`: one map for each iteration, its steps by id.",
    "steps.<id>.skipped": "Whether its `if` was false.",
}


def page() -> str:
    """The generated part: tables of keys and of names."""
    return "\n".join([*_key_tables(), *_name_table(), *_action_table()]) + "\n"


def _key_tables() -> Iterator[str]:
    yield "## Keys"
    for section in keys.SECTIONS:
        title = section.title[0].upper() + section.title[1:]
        yield f"\n### {title}\n| key | takes | meaning | default |\n|---|---|---|---|"
        for key in section.keys:
            yield f"| `{key.name}` | {key.takes} | {key.about} | {key.default} |"
    later = [name for section in keys.SECTIONS for name in section.later]
    yield f"\nNot supported yet: {', '.join(f'`{name}`' for name in later)}."


def _name_table() -> Iterator[str]:
    yield "\n## Names\n| name | type | meaning |\n|---|---|---|"
    documented: dict[str, str] = {}
    for field in msgspec.json.schema(Alert)["$defs"]["Alert"]["properties"].items():
        documented[f"alert.{field[0]}"] = field[1].get("description", "")
    names = ALERT_NAMES | RUN_NAMES | FAILURE_NAMES
    names |= {f"steps.<id>.{name}": kind for name, kind in STEP_NAMES.items()}
    for name, kind in names.items():
        yield f"| `{name}` | {_type_word(kind)} | {MORE_WORDS.get(name) or documented[name]} |"
    kinds = ", ".join(f"{name}: {_type_word(kind)}" for name, kind in INPUT_TYPES.items())
    yield f"| `inputs.<name>` | {kinds} | The value given, else the default. |"
    yield "| `vars.<name>` | any | What a `set` gave it last; null before. |"


def _type_word(kind: str) -> str:
    words = {"tags": "map of text", "dyn": "any", "list<string>": "list of text", "list<dyn>": "list"}
    return words.get(kind, kind.partition("<")[0].replace("string", "text"))


def _action_table() -> Iterator[str]:
    yield "\n## Actions\n| action | does | may be done twice |\n|---|---|---|"
    for name, spec in specs().items():
        unless = spec.pinned.unrepeatable_when
        words = "yes" if spec.pinned.repeatable else "no"
        if unless:
            words += ", but not with " + "; ".join(
                f"`{key}` {', '.join(map(str, unless[key]))}" for key in unless
            )
        yield f"| `{name}` | {spec.description} | {words} |"
    for name, spec in specs().items():
        yield f"\n### {name}\n| input | takes | meaning |\n|---|---|---|"
        required = spec.inputs.get("required", ())
        for key, schema in spec.inputs["properties"].items():
            need = ", required" if key in required else ""
            yield f"| `{key}` | {_schema_word(schema)}{need} | {schema.get('description', '')} |"


def _schema_word(schema: dict[str, Any]) -> str:
    if "enum" in schema:
        return ", ".join(str(one) for one in schema["enum"])
    kind = schema.get("type", "any")
    return kind if isinstance(kind, str) else " or ".join(kind)


def test_the_keys_names_and_actions_in_the_docs_are_those_that_exist() -> None:
    text = DOCS.read_text(encoding="utf-8")
    assert text.partition(BEGIN)[2].partition(END)[0] == page(), (
        "stale: run `python -m tests.engine.playbook.test_docs`"
    )


EXAMPLES = re.findall(r"```yaml\n(playbook: .*?)```", DOCS.read_text(encoding="utf-8"), re.S)


@pytest.mark.parametrize("text", EXAMPLES, ids=lambda text: text.split("\n")[0])
def test_every_playbook_in_the_docs_is_right(text: str) -> None:
    found = read(text, "docs/playbooks.md", specs())
    assert found.problems == ()


def test_an_alert_gives_a_value_to_every_name_that_is_declared_for_it() -> None:
    assert set(alert_scope(Alert(id="a-1"))) == set(ALERT_NAMES)


def test_every_kind_of_name_has_a_neutral_value_of_its_own_type() -> None:
    for kind in {*ALERT_NAMES.values(), *STEP_NAMES.values(), *INPUT_TYPES.values()}:
        assert Environment({"name": kind}).compile("name").evaluate({}) == neutral(kind)


if __name__ == "__main__":
    before, _, rest = DOCS.read_text(encoding="utf-8").partition(BEGIN)
    DOCS.write_text(before + BEGIN + page() + END + (rest.partition(END)[2] or "\n"), encoding="utf-8")
