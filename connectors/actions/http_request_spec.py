"""What `http.request` is, declared. How a request is made is in `http_request`."""

from schemas.actions import ActionSpec, PinnedAction

METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")

_TEXTS = {"type": "object", "additionalProperties": {"type": "string"}}
_SCALARS = {"type": "object", "additionalProperties": {"type": ["string", "number", "boolean"]}}
_TEXT = {"type": "string"}


def _only(name: str, value: object) -> dict[str, object]:
    return {"type": "object", "additionalProperties": False, "required": [name], "properties": {name: value}}


def _pair(first: str, second: str) -> dict[str, object]:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": [first, second],
        "properties": {first: _TEXT, second: _TEXT},
    }


SPEC = ActionSpec(
    name="http.request",
    description="Makes one HTTP request and returns status, headers and body.",
    category="enrich",
    inputs={
        "type": "object",
        "additionalProperties": False,
        "required": ["url"],
        "properties": {
            "method": {"type": "string", "enum": list(METHODS), "default": "GET"},
            "url": {"type": "string", "description": "http or https; filled-in parts are percent-encoded."},
            "headers": {**_SCALARS, "description": "Headers."},
            "query": {
                "type": "object",
                "additionalProperties": {"type": ["string", "number", "boolean", "array"]},
                "description": "Query parameters; a list repeats its name.",
            },
            "json": {"description": "Body as JSON; sets Content-Type."},
            "body": {
                "type": "string",
                "description": "Body as text. Only one of json, body, form.",
            },
            "form": {**_SCALARS, "description": "Body as a form; sets Content-Type."},
            "auth": {
                "description": "{bearer: …}, {basic: {user: …, password: …}}, {header: {name: …, value: …}}.",
                "oneOf": [
                    _only("bearer", _TEXT),
                    _only("basic", _pair("user", "password")),
                    _only("header", _pair("name", "value")),
                ],
            },
            "expect": {
                "type": "array",
                "items": {"type": "integer", "minimum": 100, "maximum": 599},
                "description": "Statuses that count as success; without it 200 to 299.",
            },
            "timeout_s": {
                "type": "number",
                "exclusiveMinimum": 0,
                "description": "Bound of the request, seconds; the step's own timeout holds as well.",
            },
        },
    },
    outputs={
        "type": "object",
        "additionalProperties": False,
        "required": ["status", "headers", "body"],
        "properties": {
            "status": {"type": "integer", "description": "HTTP status."},
            "headers": {**_TEXTS, "description": "Some of the headers, names in lower case."},
            "body": {"description": "The value of a JSON answer, else the text; null if empty."},
        },
    },
    pinned=PinnedAction(
        name="http.request",
        repeatable=True,
        unrepeatable_when={"method": ["POST", "PATCH"]},
        url_inputs=("url",),
    ),
)
