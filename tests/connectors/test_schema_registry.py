import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from connectors.schema_registry import SCHEMAS_MAX, SchemaRegistry
from schemas.alerts_wire import ConfluentAlert, JsonAlert, resolved
from schemas.errors import SchemaUnavailable, UnknownSchema

TITLED = {"type": "record", "name": "x.Titled", "fields": [{"name": "title", "type": "string"}]}


class Registry:
    """A registry of a few answers by path, that counts its calls and can be told to fail first."""

    def __init__(self, answers: dict[str, Any], faults: list[Any] | None = None) -> None:
        self.answers, self.faults, self.calls = answers, faults or [], list[str]()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.calls.append(request.url.raw_path.decode())
        if self.faults:
            fault = self.faults.pop(0)
            if isinstance(fault, Exception):
                raise fault
            return fault if isinstance(fault, httpx.Response) else httpx.Response(fault)
        answer = self.answers.get(self.calls[-1])
        return (
            httpx.Response(404, json={"error_code": 40403})
            if answer is None
            else httpx.Response(200, json=answer)
        )

    def client(self, url: str = "http://registry/", try_for_s: float = 5.0) -> SchemaRegistry:
        return SchemaRegistry(url, try_for_s=try_for_s, transport=httpx.MockTransport(self))


def an_id(schema: Any, **more: Any) -> dict[str, Any]:
    return {"schema": json.dumps(schema), **more}


async def test_a_schema_is_asked_for_once_and_kept() -> None:
    registry = Registry({"/schemas/ids/7": an_id(TITLED)})
    async with registry.client() as client:
        assert client.known(7) is None
        schema = await client.schema(7)
        assert await client.schema(7) is schema is client.known(7)
    alert = ConfluentAlert(7, b"\x08disk", b"whole")
    assert resolved(alert, schema) == JsonAlert({"title": "disk"}, b"whole")
    assert registry.calls == ["/schemas/ids/7"]


async def test_several_who_want_the_same_schema_share_one_question() -> None:
    registry = Registry({"/schemas/ids/7": an_id(TITLED)})
    async with registry.client() as client:
        found = await asyncio.gather(*[client.schema(7) for _ in range(20)])
    assert len(registry.calls) == 1
    assert all(one is found[0] for one in found)


async def test_a_registry_behind_a_path_is_found_there() -> None:
    registry = Registry({"/registry/schemas/ids/7": an_id(TITLED)})
    async with registry.client("http://host/registry") as client:
        assert await client.schema(7)


async def test_schemas_that_refer_to_others_are_read_with_them_inner_first() -> None:
    leaf = {"type": "record", "name": "x.Leaf", "fields": [{"name": "key", "type": "string"}]}
    twig = {"type": "record", "name": "x.Twig", "fields": [{"name": "leaf", "type": "x.Leaf"}]}
    tree = {
        "type": "record",
        "name": "x.Tree",
        "fields": [{"name": "twig", "type": "x.Twig"}, {"name": "leaf", "type": "x.Leaf"}],
    }
    to_leaf = {"name": "x.Leaf", "subject": "a/leaf", "version": 2}
    to_twig = {"name": "x.Twig", "subject": "twig", "version": 1}
    registry = Registry(
        {
            "/schemas/ids/7": an_id(tree, references=[to_twig, to_leaf]),
            "/subjects/twig/versions/1": an_id(twig, references=[to_leaf]),
            "/subjects/a%2Fleaf/versions/2": an_id(leaf),
        }
    )
    async with registry.client() as client:
        schema = await client.schema(7)
    alert = ConfluentAlert(7, b"\x02a\x02b", b"whole")
    expected = {"twig": {"leaf": {"key": "a"}}, "leaf": {"key": "b"}}
    assert resolved(alert, schema) == JsonAlert(expected, b"whole")
    assert len(registry.calls) == 3


@pytest.mark.parametrize(
    "answer",
    [
        None,
        {"schema": "message A {}", "schemaType": "PROTOBUF"},
        {"schema": "{"},
        {"nothing": 1},
        {"schema": '"string"', "references": [{"name": "x"}]},
        {"schema": '"string"', "references": [{"name": "x", "subject": "gone", "version": 1}]},
    ],
)
async def test_what_is_unknown_or_unreadable_is_an_unknown_schema_and_not_asked_for_again(
    answer: Any,
) -> None:
    registry = Registry({"/schemas/ids/7": answer})
    async with registry.client() as client:
        for _ in range(3):
            with pytest.raises(UnknownSchema, match="schema 7 of the registry") as caught:
                await client.schema(7)
            assert caught.value.fingerprint == "7"
    assert registry.calls.count("/schemas/ids/7") == 1


@pytest.mark.parametrize(
    "fault",
    [
        500,
        503,
        429,
        httpx.ConnectError("refused"),
        httpx.ReadTimeout("slow"),
        httpx.Response(200, text="<html>"),
    ],
)
async def test_what_may_pass_is_tried_again(fault: Any) -> None:
    registry = Registry({"/schemas/ids/7": an_id(TITLED)}, [fault])
    async with registry.client() as client:
        assert await client.schema(7)
    assert len(registry.calls) == 2


async def test_a_registry_that_stays_away_is_unavailable_and_asked_again_next_time() -> None:
    registry = Registry({"/schemas/ids/7": an_id(TITLED)}, [httpx.ConnectError("refused")] * 2)
    async with registry.client(try_for_s=0.3) as client:
        with pytest.raises(SchemaUnavailable, match=r"does not answer: ConnectError \(tried for 0.3 s\)"):
            await client.schema(7)
        assert await client.schema(7)


@pytest.mark.parametrize("status", [401, 403])
async def test_a_registry_that_does_not_let_us_in_is_not_tried_again(status: int) -> None:
    registry = Registry({}, [status])
    async with registry.client() as client:
        with pytest.raises(SchemaUnavailable, match=f"does not let us in: {status}"):
            await client.schema(7)
    assert len(registry.calls) == 1


async def test_user_and_password_of_the_address_are_used_and_never_told() -> None:
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers["authorization"])
        return httpx.Response(503)

    transport = httpx.MockTransport(answer)
    async with SchemaRegistry("http://me:s3cret@registry", try_for_s=0.1, transport=transport) as client:
        with pytest.raises(SchemaUnavailable) as caught:
            await client.schema(7)
    assert seen[0].startswith("Basic ")
    assert "s3cret" not in str(caught.value)


async def test_only_the_schemas_used_last_are_kept() -> None:
    registry = Registry({f"/schemas/ids/{number}": an_id("string") for number in range(SCHEMAS_MAX + 2)})
    async with registry.client() as client:
        for number in range(SCHEMAS_MAX):
            await client.schema(number)
        assert client.known(0)
        await client.schema(SCHEMAS_MAX)
        assert client.known(0) and client.known(1) is None


async def test_one_who_gives_up_does_not_take_the_answer_from_the_others() -> None:
    gate = asyncio.Event()

    async def answer(request: httpx.Request) -> httpx.Response:
        await gate.wait()
        return httpx.Response(200, json=an_id(TITLED))

    handler: Callable[[httpx.Request], Any] = answer
    async with SchemaRegistry("http://registry", transport=httpx.MockTransport(handler)) as client:
        first, second = asyncio.create_task(client.schema(7)), asyncio.create_task(client.schema(7))
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.sleep(0)
        gate.set()
        assert await second is client.known(7)
