"""No foreign error leaves its connector: aiokafka's, one by one."""

import aiokafka.errors
import pytest

from connectors.errors import (
    ConnectorError,
    NotDurable,
    NotReachable,
    PermanentFailure,
    TemporaryFailure,
    TooLarge,
)
from connectors.kafka_errors import NEVER_PASSES, said, translated

FOREIGN = [
    found
    for found in vars(aiokafka.errors).values()
    if isinstance(found, type) and issubclass(found, Exception) and found.__module__ == "aiokafka.errors"
]
FOREIGN.remove(aiokafka.errors.BrokerResponseError)  # A base that is never raised, and cannot say its text.
PROGRAMMERS_FAULT = {aiokafka.errors.IllegalOperation}
"""Using a client in a way it is not meant for: no state of the world, so it stays what it is."""


@pytest.mark.parametrize("foreign", FOREIGN, ids=lambda foreign: foreign.__name__)
def test_every_error_of_the_kafka_client_is_one_of_ours(foreign: type[Exception]) -> None:
    wanted: type[Exception] = PermanentFailure if foreign in NEVER_PASSES else NotReachable
    if foreign in PROGRAMMERS_FAULT:
        wanted = foreign
    with pytest.raises(wanted) as caught, translated("reading"):
        raise foreign("details")
    if foreign not in PROGRAMMERS_FAULT:
        assert str(caught.value) == f"reading: {said(caught.value.__cause__ or caught.value)}"


def test_a_failed_connection_is_not_reachable() -> None:
    with pytest.raises(NotReachable, match="reading: ConnectionResetError"), translated("reading"):
        raise ConnectionResetError


def test_a_kafka_that_nobody_answers_for_is_told_with_what_to_look_at() -> None:
    away = aiokafka.errors.KafkaConnectionError("Unable to bootstrap from [('10.0.0.1', 9092, 2)]")
    with pytest.raises(NotReachable) as caught, translated("reading from 10.0.0.1:9092"):
        raise away
    assert str(caught.value) == (
        "reading from 10.0.0.1:9092: no Kafka answers there; is it running, "
        "are PULSEBOOK_KAFKA and the security settings right?"
    )
    assert said(aiokafka.errors.KafkaTimeoutError("late")) == "KafkaTimeoutError: late"


def test_ours_and_the_programmers_errors_pass_unchanged() -> None:
    for error in (NotDurable("x"), TypeError("x")):
        with pytest.raises(type(error)) as caught, translated("reading"):
            raise error
        assert caught.value is error


def test_the_tree_is_the_one_that_is_drawn() -> None:
    assert issubclass(NotDurable, TemporaryFailure) and issubclass(NotReachable, TemporaryFailure)
    assert issubclass(TooLarge, PermanentFailure)
    assert {one.__base__ for one in (TemporaryFailure, PermanentFailure)} == {ConnectorError}
