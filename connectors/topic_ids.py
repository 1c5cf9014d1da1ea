"""The id that Kafka gives a topic when it is made: a topic that was deleted and made again has another one.

Watermarks are kept with it (another id means that offsets no longer say anything). aiokafka 0.14 speaks
metadata up to version 5, which has no ids; here is version 12 on aiokafka's own building blocks. Brokers know
it since 2.8.
"""

import base64
from collections.abc import Iterable, Mapping
from io import BytesIO
from typing import Any

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import for_code
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import (
    AbstractType,
    Boolean,
    CompactArray,
    CompactString,
    Int16,
    Int32,
    Schema,
    TaggedFields,
)

from connectors.errors import TemporaryFailure
from connectors.kafka_errors import translated

UNKNOWN_TOPIC = 3
NO_ID = bytes(16)


class _Uuid(AbstractType[bytes]):
    @classmethod
    def encode(cls, value: bytes) -> bytes:
        return value

    @classmethod
    def decode(cls, data: BytesIO) -> bytes:
        return data.read(16)


class _MetadataResponse(Response):
    API_KEY = 3
    API_VERSION = 12
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "brokers",
            CompactArray(
                ("node_id", Int32),
                ("host", CompactString("utf-8")),
                ("port", Int32),
                ("rack", CompactString("utf-8")),
                ("tags", TaggedFields),
            ),
        ),
        ("cluster_id", CompactString("utf-8")),
        ("controller_id", Int32),
        (
            "topics",
            CompactArray(
                ("error_code", Int16),
                ("name", CompactString("utf-8")),
                ("topic_id", _Uuid),
                ("is_internal", Boolean),
                (
                    "partitions",
                    CompactArray(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", CompactArray(Int32)),
                        ("isr", CompactArray(Int32)),
                        ("offline_replicas", CompactArray(Int32)),
                        ("tags", TaggedFields),
                    ),
                ),
                ("authorized_operations", Int32),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class _MetadataRequestV12(RequestStruct):
    API_KEY = 3
    API_VERSION = 12
    FLEXIBLE_VERSION = True
    RESPONSE_TYPE = _MetadataResponse
    SCHEMA = Schema(
        (
            "topics",
            CompactArray(("topic_id", _Uuid), ("name", CompactString("utf-8")), ("tags", TaggedFields)),
        ),
        ("allow_auto_topic_creation", Boolean),
        ("include_topic_authorized_operations", Boolean),
        ("tags", TaggedFields),
    )


class _MetadataRequest(Request[_MetadataRequestV12]):
    API_KEY = 3

    def __init__(self, names: list[str]) -> None:
        self._names = names

    def build(self, request_struct_class: type[_MetadataRequestV12]) -> _MetadataRequestV12:
        return request_struct_class([(NO_ID, name, {}) for name in self._names], False, False, {})


async def topic_ids(kafka: Mapping[str, Any], names: Iterable[str]) -> dict[str, str]:
    """Full topic name to id, as Kafka's tools write it (22 letters); a topic that does not exist is absent.

    `kafka`: keyword arguments of an aiokafka client (`Settings.kafka_options()`). Raises NotReachable, and
    TemporaryFailure where Kafka does not know yet.
    """
    client = AIOKafkaClient(**kafka)
    try:
        with translated(f"asking Kafka at {kafka.get('bootstrap_servers')} for topic ids"):
            await client.bootstrap()
            request = _MetadataRequest(sorted(set(names)))
            answer = (await client.send(client.get_random_node(), request)).to_object()
    finally:
        await client.close()
    found = {}
    for topic in answer["topics"]:
        if topic["error_code"] == UNKNOWN_TOPIC:
            continue
        if topic["error_code"] or topic["topic_id"] == NO_ID:
            reason = for_code(topic["error_code"]).__name__
            raise TemporaryFailure(f"Kafka does not tell the id of {topic['name']}: {reason}")
        found[topic["name"]] = base64.urlsafe_b64encode(topic["topic_id"]).decode().rstrip("=")
    return found
