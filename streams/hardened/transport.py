"""The hardened parts put together: the transport that a `HardenedApp` hands to itself."""

from collections.abc import Collection
from typing import Any

from faust.transport.conductor import Conductor
from faust.transport.drivers.aiokafka import Transport
from faust.types import TP

from streams.hardened.consumer import StrictConsumer
from streams.hardened.producer import StrictProducer


class OpenConductor(Conductor):
    """Faust's conductor; tells which channels take the messages of a partition."""

    def channels_of(self, tp: TP) -> Collection[Any]:
        """The channels whose queues get what is read from `tp`."""
        return self._tp_index.get(tp, ())


class HardenedTransport(Transport):
    """Faust's Kafka transport, made of the hardened consumer and producer."""

    Consumer = StrictConsumer
    Producer = StrictProducer
    Conductor = OpenConductor
