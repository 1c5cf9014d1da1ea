"""What the framework does not know of the OpenAPI document: the hooks, which are plain ASGI, and problem
documents.
"""

from litestar.openapi.spec import (
    Components,
    OpenAPI,
    OpenAPIMediaType,
    OpenAPIResponse,
    Operation,
    Parameter,
    PathItem,
    Reference,
    RequestBody,
    Schema,
    SecurityScheme,
)
from litestar.openapi.spec.enums import OpenAPIType

from console.problems import MEDIA_TYPE, TITLES

API = "/api/v1/"
TEXT = Schema(type=OpenAPIType.STRING)
PROBLEM = Schema(
    type=OpenAPIType.OBJECT,
    description="RFC 9457. `problems` (a playbook's) and `errors` (a request's) where there are several.",
    properties={"status": Schema(type=OpenAPIType.INTEGER), "title": TEXT, "detail": TEXT},
    required=["status", "title", "detail"],
)
COMPONENTS = Components(security_schemes={"token": SecurityScheme(type="http", scheme="bearer")})


def complete(document: OpenAPI, *, hooks: bool) -> None:
    """Add what is missing."""
    paths = dict(document.paths or {})
    for path, item in paths.items():
        for operation in (item.get, item.post, item.put, item.patch, item.delete):
            if operation is not None and path.startswith(API):
                operation.responses = {
                    **{
                        status: said for status, said in (operation.responses or {}).items() if status < "400"
                    },
                    **_problems("400", "401", "403", "404", "409", "422", "503"),
                }
    document.paths = {**paths, **_hook_paths()} if hooks else paths
    document.components.schemas = {**(document.components.schemas or {}), "Problem": PROBLEM}


def _problems(*statuses: str) -> dict[str, OpenAPIResponse | Reference]:
    content = {MEDIA_TYPE: OpenAPIMediaType(schema=Reference(ref="#/components/schemas/Problem"))}
    return {status: OpenAPIResponse(TITLES[int(status)], content=content) for status in statuses}


def _hook_paths() -> dict[str, PathItem]:
    alert = _hook(
        "TakeAlert",
        "Take an alert",
        "202 comes after the broker's acknowledgement. What cannot be parsed is kept as it came: `parsed` "
        "is false. The token may be in X-Pulsebook-Token instead, with `-` in its place.",
        ["endpoint", "token"],
        {"202": "Durable: `{alert_id, parsed}`"},
    )
    call = _hook(
        "CallPlaybook",
        "Start a playbook that allows this endpoint",
        'The body is the inputs, `{"inputs": …, "alert": …}`, or Datadog\'s payload as the alert.',
        ["endpoint", "token", "playbook"],
        {"200": "With `wait`: `{run_id, status, message, outputs}`", "202": "Durable: `{run_id}`"},
    )
    more = [
        Parameter(
            "wait", "query", schema=TEXT, description="Wait for the outcome, such as 25s; at most 60s."
        ),
        Parameter("Idempotency-Key", "header", schema=TEXT, description="A repeat with it starts nothing."),
    ]
    call.parameters = [*(call.parameters or []), *more]
    return {
        "/hooks/{endpoint}/{token}": PathItem(post=alert),
        "/hooks/{endpoint}/{token}/{playbook}": PathItem(post=call),
    }


def _hook(
    name: str, summary: str, description: str, segments: list[str], answers: dict[str, str]
) -> Operation:
    good = {"application/json": OpenAPIMediaType(schema=Schema(type=OpenAPIType.OBJECT))}
    return Operation(
        operation_id=name,
        tags=["hooks"],
        summary=summary,
        description=description,
        security=[],
        parameters=[Parameter(segment, "path", required=True, schema=TEXT) for segment in segments],
        request_body=RequestBody(content={"application/json": OpenAPIMediaType(schema=Schema())}),
        responses={
            **{status: OpenAPIResponse(said, content=good) for status, said in answers.items()},
            **_problems("404", "413", "503"),
        },
    )
