"""Schemas of a Confluent-compatible registry by id, asked for once and kept.

What stands behind Confluent's framing is `schemas.confluent`. An id means one schema for ever, so what was
found is never asked for again; that an id is unknown is remembered for a minute: garbage may name any id.
"""

import asyncio
from collections import OrderedDict
from typing import Any, Self
from urllib.parse import quote

import httpx

from connectors.errors import ConnectorError, NotReachable, PermanentFailure, TemporaryFailure
from schemas.confluent import WriterSchema, writer_schema
from schemas.errors import MalformedMessage, SchemaUnavailable, UnknownSchema

SCHEMAS_MAX = 1_000
"""The ones used last are kept."""
REFERENCES_MAX = 100
UNKNOWN_KEPT_S = 60.0
REQUEST_TIMEOUT_S = 5.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.2, 5.0


class SchemaRegistry:
    """`url` may hold user and password. `try_for_s` bounds a question to a registry that does not answer."""

    def __init__(
        self, url: str, *, try_for_s: float = 5.0, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._http = httpx.AsyncClient(base_url=url, timeout=REQUEST_TIMEOUT_S, transport=transport)
        self._try_for_s = try_for_s
        self._found: OrderedDict[int, WriterSchema] = OrderedDict()
        self._unknown: OrderedDict[int, tuple[float, str]] = OrderedDict()
        self._asking: dict[int, asyncio.Task[WriterSchema]] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Ask no more."""
        for task in list(self._asking.values()):
            task.cancel()
        await self._http.aclose()

    def known(self, schema_id: int) -> WriterSchema | None:
        """The schema, if it was asked for before."""
        found = self._found.get(schema_id)
        if found is not None:
            self._found.move_to_end(schema_id)
        return found

    async def schema(self, schema_id: int) -> WriterSchema:
        """The schema with that id.

        Raises UnknownSchema when the registry has none or one that cannot be read, and SchemaUnavailable when
        it does not answer or does not let us in: that is no fault of who names the schema.
        """
        found = self.known(schema_id)
        if found is not None:
            return found
        self._refuse_unknown(schema_id)
        task = self._asking.get(schema_id)
        if task is None:
            task = self._asking[schema_id] = asyncio.create_task(self._learn(schema_id))
            task.add_done_callback(lambda done: self._answered(schema_id, done))
        try:
            # Shielded: one of several who wait may give up without taking the answer from the others.
            return await asyncio.shield(task)
        except ConnectorError as error:
            raise SchemaUnavailable(str(error)) from error

    def _answered(self, schema_id: int, done: "asyncio.Task[WriterSchema]") -> None:
        self._asking.pop(schema_id, None)
        if not done.cancelled():
            done.exception()  # seen: whoever asked may have given up meanwhile

    def _refuse_unknown(self, schema_id: int) -> None:
        until_s, reason = self._unknown.get(schema_id, (0.0, ""))
        if asyncio.get_running_loop().time() < until_s:
            raise UnknownSchema(reason, str(schema_id))

    async def _learn(self, schema_id: int) -> WriterSchema:
        try:
            answer = await self._get(f"schemas/ids/{schema_id}")
            found = writer_schema(*await self._with_references(answer))
        except MalformedMessage as error:
            reason = f"schema {schema_id} of the registry: {error}"
            self._unknown[schema_id] = asyncio.get_running_loop().time() + UNKNOWN_KEPT_S, reason
            if len(self._unknown) > SCHEMAS_MAX:
                self._unknown.popitem(last=False)
            raise UnknownSchema(reason, str(schema_id)) from error
        self._found[schema_id] = found
        if len(self._found) > SCHEMAS_MAX:
            self._found.popitem(last=False)
        return found

    async def _with_references(self, answer: dict[str, Any]) -> tuple[str, str, tuple[str, ...]]:
        """Kind and text of a schema, and the texts of all it refers to, inner first, each once."""
        texts: dict[tuple[str, int], str] = {}
        asked: set[tuple[str, int]] = set()

        async def visit(references: Any) -> None:
            for reference in references or ():
                place = str(reference["subject"]), int(reference["version"])
                if place in asked:
                    continue
                asked.add(place)
                if len(asked) > REFERENCES_MAX:
                    raise MalformedMessage(f"it refers to more than {REFERENCES_MAX} schemas")
                inner = await self._get(f"subjects/{quote(place[0], safe='')}/versions/{place[1]}")
                await visit(inner.get("references"))
                texts[place] = str(inner["schema"])

        try:
            await visit(answer.get("references"))
            return str(answer.get("schemaType") or "AVRO"), str(answer["schema"]), tuple(texts.values())
        except (KeyError, TypeError, ValueError) as error:
            raise MalformedMessage("the registry's answer has not the form it should have") from error

    async def _get(self, path: str) -> dict[str, Any]:
        pause_s = FIRST_PAUSE_S
        try:
            async with asyncio.timeout(self._try_for_s):
                while True:
                    try:
                        return await self._get_once(path)
                    except TemporaryFailure as error:
                        last = error
                    await asyncio.sleep(pause_s)
                    pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
        except TimeoutError:
            raise NotReachable(f"{last} (tried for {self._try_for_s:g} s)") from last

    async def _get_once(self, path: str) -> dict[str, Any]:
        try:
            response = await self._http.get(path)
        except httpx.HTTPError as error:
            raise TemporaryFailure(f"the schema registry does not answer: {type(error).__name__}") from error
        if response.status_code == httpx.codes.NOT_FOUND:
            raise MalformedMessage("the registry does not know it")
        if response.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            raise PermanentFailure(f"the schema registry does not let us in: {response.status_code}")
        if not response.is_success:
            raise TemporaryFailure(f"the schema registry answers {response.status_code}")
        try:
            answer = response.json()
        except ValueError as error:
            raise TemporaryFailure("the schema registry's answer is not JSON") from error
        if not isinstance(answer, dict):
            raise TemporaryFailure("the schema registry's answer is no JSON object")
        return answer
