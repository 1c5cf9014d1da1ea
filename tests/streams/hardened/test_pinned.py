"""An upgrade of Faust or aiokafka that changes what we override or lean on is noticed, method by method."""

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from importlib.metadata import version

import pytest
from faust.transport.conductor import Conductor
from faust.transport.drivers.aiokafka import Transport

import streams
from streams.hardened.pinned import OVERRIDES, Override, source_hash
from streams.hardened.transport import HardenedTransport
from streams.table import RowTable
from tests.streams.hardened.bench import hardened_app

UPSTREAM = ("faust", "mode", "aiokafka")


@pytest.mark.parametrize("override", OVERRIDES, ids=lambda override: override.method.__qualname__)
def test_upstream_is_what_ours_was_written_for(override: Override) -> None:
    name = f"{override.method.__module__}.{override.method.__qualname__}"
    assert source_hash(override.method) == override.source, f"{name} has changed upstream: {override.why}"


def test_the_versions_are_the_ones_that_were_read() -> None:
    assert version("faust-streaming") == "0.15.3"
    assert version("aiokafka") == "0.14.0"


def test_every_override_anywhere_in_streams_is_pinned() -> None:
    """Constructors aside: they call upstream's, and break loudly."""
    pinned = {override.method for override in OVERRIDES}
    overridden = {
        f"{ours.__qualname__}.{name}": upstream
        for ours in classes_of_streams()
        for name, upstream in overridden_by(ours)
        if not name.startswith("__")
    }
    assert len(overridden) > 40
    assert [name for name, upstream in overridden.items() if upstream not in pinned] == []


def classes_of_streams() -> set[type]:
    names = [module.name for module in pkgutil.walk_packages(streams.__path__, "streams.")]
    modules = [importlib.import_module(name) for name in names]
    return {
        found
        for module in modules
        for found in vars(module).values()
        if inspect.isclass(found) and found.__module__ == module.__name__
    }


def overridden_by(ours: type) -> Iterator[tuple[str, object]]:
    """Name and nearest upstream function of each method and property that a class of ours has anew."""
    for name in vars(ours):
        for base in ours.__mro__[1:]:
            upstream = vars(base).get(name) if base.__module__.split(".")[0] in UPSTREAM else None
            upstream = upstream.fget if isinstance(upstream, property) else upstream
            if inspect.isfunction(upstream):
                yield name, upstream
                break


def test_upstream_s_own_classes_are_left_as_they_are() -> None:
    app = hardened_app()
    assert isinstance(app.transport, HardenedTransport)
    assert Transport.Consumer.__module__ == "faust.transport.drivers.aiokafka"
    assert Transport.Producer.__module__ == "faust.transport.drivers.aiokafka"
    assert Transport.Conductor is Conductor
    assert issubclass(app.conf.Table, RowTable)  # type: ignore[arg-type]  # a setting, not a type
