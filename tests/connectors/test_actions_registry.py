"""Which actions exist, and that what is declared of them holds."""

import subprocess
import sys
from collections.abc import AsyncIterator

import jsonschema
import pytest

from connectors.actions.registry import build, specs
from connectors.datadog import DatadogEvents
from connectors.http_client import create_http_client
from schemas.actions import Action, Call, Done


@pytest.fixture
async def actions() -> AsyncIterator[dict[str, Action]]:
    client = create_http_client()
    url = "https://api.datadoghq.com"
    yield dict(build(client=client, poster=DatadogEvents(client, url, "k"), datadog_url=url))
    await client.aclose()


async def test_every_declared_action_is_built_and_no_other(actions: dict[str, Action]) -> None:
    assert {name: action.spec for name, action in actions.items()} == dict(specs())
    assert list(specs()) == ["datadog.post_event", "http.request", "log"]


@pytest.mark.parametrize("name", list(specs()))
def test_a_spec_is_sound(name: str) -> None:
    spec = specs()[name]
    assert (spec.name, spec.pinned.name) == (name, name)
    for schema in (spec.inputs, spec.outputs):
        jsonschema.Draft202012Validator.check_schema(schema)
        assert schema["type"] == "object" and set(schema["required"]) <= set(schema["properties"])
    assert set(spec.pinned.unrepeatable_when) | set(spec.pinned.url_inputs) <= set(spec.inputs["properties"])


def test_reading_the_specs_opens_nothing() -> None:
    program = (
        "import sys, connectors.actions.registry as r; r.specs()\n"
        "import threading; assert threading.active_count() == 1, threading.enumerate()\n"
        "assert 'aiokafka' not in sys.modules and 'cel_expr_python' not in sys.modules"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


@pytest.mark.parametrize("message", ["hello", {"a": [1]}, None])
async def test_log_outputs_its_message(actions: dict[str, Action], message: object) -> None:
    call = Call(
        run_id="r-1",
        step="s",
        attempt=1,
        arguments={"message": message},
        idempotency_key="k",
        timeout_s=1,
        repeatable=True,
    )
    assert await actions["log"](call) == Done({"message": message})
