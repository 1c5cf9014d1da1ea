"""Compares `with` of a step with what its action takes: the JSON Schema of the action's inputs.

Looked at: type, enum, const, properties, required, additionalProperties, items, minimum, maximum, minLength,
oneOf, anyOf. Whatever else a schema says is left to the action when it runs, as is every value that a
placeholder makes.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from engine.playbook.fields import Fields, kind_of
from engine.playbook.problems import Problems, nearest
from engine.playbook.templates import OPENING, TemplateError, parse
from engine.yaml_values import Mark, Value
from schemas.actions import ActionSpec

_WORDS = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a map",
    "null": "null",
}


class _Fault(NamedTuple):
    mark: Mark
    message: str
    fix: str


def check_arguments(value: Value | None, spec: ActionSpec, step: Fields, problems: Problems) -> None:
    """Reports missing and unknown inputs of the action, and literals of the wrong type."""
    given: Mapping[str, Value] = value.data if value is not None else {}
    schema: Mapping[str, Any] = spec.inputs
    properties: Mapping[str, Any] = schema.get("properties", {})
    for name in schema.get("required", ()):
        if name not in given:
            about = properties.get(name, {}).get("description", "")
            problems.error(step.key_mark("with"), f"`{spec.name}` needs the input `{name}`", about)
    marks = value.keys if value is not None else {}
    for name, item in given.items():
        if name in properties:
            for fault in _faults(item, properties[name], name):
                problems.error(*fault)
        elif schema.get("additionalProperties") is False:
            message = f"`{spec.name}` has no input `{name}`"
            problems.error(marks[name], message, nearest(name, properties))


def is_repeatable(spec: ActionSpec, value: Value | None) -> bool:
    """Whether the action may be done twice with these inputs. A placeholder may make it anything: no."""
    given: Mapping[str, Value] = value.data if value is not None else {}
    if not spec.pinned.repeatable:
        return False
    for name, values in spec.pinned.unrepeatable_when.items():
        item = given.get(name)
        if item is None:
            continue
        wrong = {str(one).lower() for one in values}
        if OPENING in item.text or str(item.plain()).lower() in wrong:
            return False
    return True


def _faults(value: Value, schema: Any, name: str) -> Iterator[_Fault]:
    if not isinstance(schema, dict):
        return
    made = _is_made(value)
    if made == "all":
        return
    types = _types(schema)
    if types and not any(_fits(value.data, kind) for kind in types):
        yield _wrong_type(value, types, name)
        return
    if made:
        return
    for key in ("oneOf", "anyOf"):
        if key in schema and not any(_passes(value, option, name) for option in schema[key]):
            about = schema.get("description", "")
            yield _Fault(value.mark, f"`{name}` has none of its forms", about)
            return
    yield from _value_faults(value, schema, name)
    if isinstance(value.data, tuple):
        for at, item in enumerate(value.data):
            yield from _faults(item, schema.get("items"), f"{name}[{at}]")
    if isinstance(value.data, dict):
        yield from _map_faults(value, schema, name)


def _passes(value: Value, schema: Any, name: str) -> bool:
    return next(_faults(value, schema, name), None) is None


def _value_faults(value: Value, schema: Mapping[str, Any], name: str) -> Iterator[_Fault]:
    data = value.data
    options = schema.get("enum", [schema["const"]] if "const" in schema else [])
    if options and value.plain() not in options:
        words = [str(option) for option in options]
        fix = nearest(value.text, words, f"one of {', '.join(words)}")
        yield _Fault(value.mark, f"`{name}` cannot be {value.text or kind_of(value)}", fix)
    if isinstance(data, int | float) and not isinstance(data, bool):
        if data < schema.get("minimum", data):
            yield _Fault(value.mark, f"`{name}` is {value.text}, too small", f"at least {schema['minimum']}")
        if data > schema.get("maximum", data):
            yield _Fault(value.mark, f"`{name}` is {value.text}, too large", f"at most {schema['maximum']}")
        if data <= schema.get("exclusiveMinimum", data - 1):
            fix = f"more than {schema['exclusiveMinimum']}"
            yield _Fault(value.mark, f"`{name}` is {value.text}, too small", fix)
    if isinstance(data, str) and len(data) < schema.get("minLength", 0):
        yield _Fault(value.mark, f"`{name}` has too few characters", f"at least {schema['minLength']}")


def _map_faults(value: Value, schema: Mapping[str, Any], name: str) -> Iterator[_Fault]:
    properties: Mapping[str, Any] = schema.get("properties", {})
    others = schema.get("additionalProperties")
    for key in schema.get("required", ()):
        if key not in value.data:
            yield _Fault(value.mark, f"`{name}` needs the key `{key}`", "")
    for key, item in value.data.items():
        if key in properties:
            yield from _faults(item, properties[key], f"{name}.{key}")
        elif others is False:
            yield _Fault(value.keys[key], f"`{name}` has no key `{key}`", nearest(key, properties))
        else:
            yield from _faults(item, others, f"{name}.{key}")


def _wrong_type(value: Value, types: tuple[str, ...], name: str) -> _Fault:
    wanted = " or ".join(_WORDS.get(kind, kind) for kind in types)
    fix = f'write "{value.text}"' if types == ("string",) and isinstance(value.data, int | float) else ""
    if isinstance(value.data, str) and set(types) & {"integer", "number", "boolean"}:
        quoted = value.source[:1] in ("'", '"')
        fix = (
            "make all of it one ${{ }}" if OPENING in value.data else "leave out the quotes" if quoted else ""
        )
    return _Fault(value.mark, f"`{name}` should be {wanted}, and is {kind_of(value)}", fix)


def _types(schema: Mapping[str, Any]) -> tuple[str, ...]:
    kind = schema.get("type", ())
    return (kind,) if isinstance(kind, str) else tuple(kind)


def _fits(data: Any, kind: str) -> bool:
    match kind:
        case "string":
            return isinstance(data, str)
        case "integer":
            return isinstance(data, int) and not isinstance(data, bool)
        case "number":
            return isinstance(data, int | float) and not isinstance(data, bool)
        case "boolean":
            return isinstance(data, bool)
        case "array":
            return isinstance(data, tuple)
        case "object":
            return isinstance(data, dict)
        case _:
            return data is None


def _is_made(value: Value) -> str:
    """`all` where a placeholder makes the whole value, `text` where it makes part of a text, else empty."""
    if not isinstance(value.data, str) or OPENING not in value.data:
        return ""
    try:
        return "all" if len(parse(value.data)) == 1 else "text"
    except TemplateError:
        return "all"
