"""The language as a JSON Schema, for editors: they complete keys and mark mistakes while one types.

Made of `engine.playbook.keys` and of the actions' specifications; nothing of the language is said here a
second time. It refuses nothing that `engine.playbook.reading` accepts, and less than that, which has the last
word. Draft 7, which the language servers of YAML know best.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from engine.playbook.key_tables import Key, Section
from engine.playbook.keys import PLAYBOOK, SECTIONS, STEPS
from schemas.actions import ActionSpec

Schema = dict[str, Any]

_SCALARS = ["string", "number", "boolean"]
_NO_PLACEHOLDER = {
    "pattern": r"^(?![\s\S]*\$\{\{)",
    "patternErrorMessage": "This takes no ${{ }}: write the text itself.",
}
_OPENED = r"\$\{\{"
_WHOLE = r"^\$\{\{[\s\S]*\}\}$"
_WORD: Schema = {"type": _SCALARS, **_NO_PLACEHOLDER}
_STEPS: Schema = {"type": "array", "items": {"$ref": "#/definitions/step"}}
_EXPRESSION: Schema = {
    "type": ["string", "boolean"],
    "pattern": r"^\s*(?!\$\{\{)\S",
    "patternErrorMessage": "A bare expression, without ${{ }}.",
}
_DURATION: Schema = {
    "type": "string",
    "pattern": r"^\s*(?=\d)(?:\d{1,6}d)?(?:\d{1,6}h)?(?:\d{1,6}m(?!s))?(?:\d{1,6}s)?(?:\d{1,9}ms)?\s*$",
    "patternErrorMessage": "A duration, such as 500ms, 30s, 15m, 1h30m or 2d.",
}
FORMS: Mapping[str, Schema] = {
    "name": {"type": "string"},
    "text": {"type": "string"},
    "text with placeholders": {"type": "string"},
    "value with placeholders": {},
    "word": {"type": "string"},
    "true or false": {"type": "boolean"},
    "number": {"type": "number"},
    "whole number": {"type": "integer"},
    "duration": _DURATION,
    "expression": _EXPRESSION,
    "list": {"type": "array"},
    "list of words": {},
    "list of text": {"type": "array", "items": _WORD},
    "list of text with placeholders": {"type": "array", "items": {"type": "string"}},
    "list of steps": _STEPS,
    "one or a list": {},
    "one of its choices": {"type": _SCALARS},
    "map": {"type": "object"},
    "map of lists of steps": {"type": "object", "additionalProperties": _STEPS},
    "map of maps": {"type": "object"},
    "map, or list of maps": {},
    "map of text": {"type": "object", "additionalProperties": {"type": [*_SCALARS, "null"]}},
    "map of one or a list": {"type": "object"},
    "map of expressions": {"type": "object", "additionalProperties": _EXPRESSION},
    "map with placeholders": {"type": "object", "propertyNames": {"pattern": r"^(?![\s\S]*\$\{\{)"}},
}
"""What a key takes, in the words of the docs; what depends on the key itself is added in `_form`."""
_BOUNDS = {"array": ("minItems", "maxItems"), "object": ("minProperties", "maxProperties")}


def playbook_schema(actions: Iterable[ActionSpec]) -> Schema:
    """The schema of a playbook file, with these actions."""
    specs = sorted(actions, key=lambda spec: spec.name)
    definitions: dict[str, Schema] = {_slug(section): _section(section) for section in SECTIONS[1:]}
    definitions["step"] = _step()
    definitions[_slug(STEPS["action"])] |= _by_action(specs)
    for spec in specs:
        definitions[_inputs_of(spec)] = _inputs(spec)
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Pulsebook playbook",
        **_section(PLAYBOOK),
        "definitions": definitions,
    }


def _slug(section: Section) -> str:
    return re.sub(r"[^a-z]+", "_", re.sub(r"^an? ", "", section.title.lower())).strip("_")


def _ref(title: str) -> Schema:
    return {"$ref": f"#/definitions/{_slug(Section(title, ()))}"}


def _section(section: Section) -> Schema:
    schema: Schema = {
        "type": "object",
        "properties": {key.name: _key(key) for key in section.keys},
        "additionalProperties": False,
    }
    required = [key.name for key in section.keys if key.default == "required"]
    needs = {key.name: [key.needs] for key in section.keys if key.needs}
    schema |= {"required": required} if required else {}
    return schema | ({"dependencies": needs} if needs else {})


def _key(key: Key) -> Schema:
    default = f" Default: {key.default}." if key.default not in ("", "required") else ""
    return {"description": f"{key.about}{default}"} | _form(key)


def _form(key: Key) -> Schema:
    form = dict(FORMS.get(key.takes, {}))
    inside = _ref(key.inside) if key.inside else {"type": "object"}
    match key.takes:
        case "map" if key.inside:
            # `allOf`, as a description beside a `$ref` would count for nothing.
            form["allOf"] = [inside]
        case "map of maps":
            form["additionalProperties"] = inside
        case "map, or list of maps":
            form["anyOf"] = [inside, {"type": "array", "items": inside, "minItems": 1}]
        case "one or a list":
            form |= _one_or_list(key.choices)
        case "map of one or a list":
            form["additionalProperties"] = _one_or_list(())
        case "list of words":
            words = {"enum": list(key.choices)}
            form["anyOf"] = [words, {"type": "array", "items": words}]
        case "word" if key.choices:
            form["enum"] = list(key.choices)
    bounds = _BOUNDS.get(str(form.get("type")), ("minimum", "maximum"))
    form |= {
        name: bound for name, bound in zip(bounds, (key.low, key.high), strict=True) if bound is not None
    }
    if key.pattern:
        named = {"pattern": key.pattern, "patternErrorMessage": f"Not a name that `{key.name}` takes."}
        form |= {"propertyNames": named} if form.get("type") == "object" else named
    return form


def _one_or_list(choices: tuple[str, ...]) -> Schema:
    one: Schema = {"anyOf": [{"enum": list(choices)}, _WORD]} if choices else _WORD
    return {"anyOf": [one, {"type": "array", "items": one, "minItems": 1}]}


def _step() -> Schema:
    """A step is what its kind says; before that is typed, every key of every kind is offered."""
    every = {key.name: {"description": key.about} for section in STEPS.values() for key in section.keys}
    return {
        "type": "object",
        "properties": every,
        "anyOf": [{"required": [kind]} for kind in STEPS],
        "allOf": [
            {"if": {"required": [kind]}, "then": {"$ref": f"#/definitions/{_slug(section)}"}}
            for kind, section in STEPS.items()
        ],
    }


# --- actions


def _inputs_of(spec: ActionSpec) -> str:
    return f"with_{re.sub('[^A-Za-z0-9]+', '_', spec.name)}"


def _by_action(specs: list[ActionSpec]) -> Schema:
    """What an action step is, besides: an action that exists, and `with` as that action wants it."""
    section = _section(STEPS["action"])
    properties = section["properties"]
    properties["action"] |= {
        "enum": [spec.name for spec in specs],
        "enumDescriptions": [spec.description for spec in specs],
    }
    branches = []
    for spec in specs:
        then: Schema = {"properties": {"with": {"$ref": f"#/definitions/{_inputs_of(spec)}"}}}
        if spec.inputs.get("required"):
            then["required"] = ["with"]
        branches.append({"if": {"properties": {"action": {"const": spec.name}}}, "then": then})
    return {"properties": properties, "allOf": branches}


def _inputs(spec: ActionSpec) -> Schema:
    schema = _checked(spec.inputs)
    return schema | {"type": "object", "description": spec.description}


_KEPT = ("type", "enum", "const", "required", "minimum", "maximum", "exclusiveMinimum", "minLength")
"""Beside those that hold schemas: what `engine.playbook.arguments` looks at, too."""


def _fillable(schema: Any) -> Any:
    """The same, for a value that a placeholder may make."""
    if not isinstance(schema, dict):
        return schema
    inner, said = _checked(schema), {"description": schema["description"]} if "description" in schema else {}
    types = {schema["type"]} if isinstance(schema.get("type"), str) else set(schema.get("type", ()))
    fixed = "enum" in schema or "const" in schema
    if not inner or ("string" in types and not fixed):
        return said | inner
    made = {"type": "string", "pattern": _OPENED if not types or "string" in types else _WHOLE}
    options = inner["anyOf"] if list(inner) == ["anyOf"] else [inner]
    return said | {"anyOf": [*options, made]}


def _checked(schema: Mapping[str, Any]) -> Schema:
    kept: Schema = {name: schema[name] for name in _KEPT if name in schema}
    if "properties" in schema:
        kept["properties"] = {name: _fillable(item) for name, item in schema["properties"].items()}
    for name in ("additionalProperties", "items"):
        if name in schema:
            kept[name] = _fillable(schema[name])
    options = list(_options(schema))
    return kept | ({"anyOf": options} if options else {})


def _options(schema: Mapping[str, Any]) -> Iterator[Any]:
    """`oneOf` becomes `anyOf`: with placeholders in it, a value may fit several."""
    for name in ("oneOf", "anyOf"):
        for option in schema.get(name, ()):
            yield _checked(option) if isinstance(option, dict) else option
