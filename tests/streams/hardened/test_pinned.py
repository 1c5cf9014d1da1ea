"""An upgrade of Faust or aiokafka that changes what we override or lean on is noticed, method by method."""

import inspect
from importlib.metadata import version

import pytest
from faust.transport.conductor import Conductor
from faust.transport.drivers.aiokafka import Transport

from streams.hardened.pinned import OVERRIDES, Override, source_hash
from streams.hardened.transport import HardenedTransport
from streams.table import RowTable
from tests.streams.hardened.bench import hardened_app


@pytest.mark.parametrize("override", OVERRIDES, ids=lambda override: override.method.__qualname__)
def test_upstream_is_what_ours_was_written_for(override: Override) -> None:
    name = f"{override.method.__module__}.{override.method.__qualname__}"
    assert source_hash(override.method) == override.source, f"{name} has changed upstream: {override.why}"


def test_the_versions_are_the_ones_that_were_read() -> None:
    assert version("faust-streaming") == "0.15.3"
    assert version("aiokafka") == "0.14.0"


def test_every_override_of_the_consumer_is_pinned() -> None:
    pinned = {override.method.__name__ for override in OVERRIDES}
    ours = HardenedTransport.Consumer
    base = {name for name, _ in inspect.getmembers(ours.__mro__[1], inspect.isfunction)}
    overridden = {name for name, value in vars(ours).items() if inspect.isfunction(value) and name in base}
    assert overridden - pinned <= {"__init__", "_new_consumer_thread"}


def test_upstream_s_own_classes_are_left_as_they_are() -> None:
    app = hardened_app()
    assert isinstance(app.transport, HardenedTransport)
    assert Transport.Consumer.__module__ == "faust.transport.drivers.aiokafka"
    assert Transport.Producer.__module__ == "faust.transport.drivers.aiokafka"
    assert Transport.Conductor is Conductor
    assert issubclass(app.conf.Table, RowTable)  # type: ignore[arg-type]  # a setting, not a type
