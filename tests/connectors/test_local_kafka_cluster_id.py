"""The id of a new cluster, as Kafka's own tools must be able to take it."""

import uuid

import pytest

from connectors import local_kafka


def test_an_id_never_looks_like_an_option(monkeypatch: pytest.MonkeyPatch) -> None:
    dashed, plain = uuid.UUID(bytes=b"\xf8" + bytes(15)), uuid.UUID(bytes=bytes(16))
    drawn = iter((dashed, plain))
    monkeypatch.setattr("connectors.local_kafka.uuid.uuid4", lambda: next(drawn))

    assert local_kafka.new_cluster_id() == "A" * 22
    assert next(drawn, None) is None, "the one that begins with a dash was passed over"
