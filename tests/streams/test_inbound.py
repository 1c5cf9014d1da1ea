"""Messages as they come: their cause, their key, and what a dead letter keeps of them."""

import pytest

from schemas.codec import decode
from schemas.dead_letters import VALUE_BYTES_MAX, DeadLetter
from schemas.errors import MalformedMessage
from schemas.outgoing import Cause
from schemas.topics import RUN_INBOX
from streams.inbound import HEADERS_BYTES_MAX, cause_of, dead_letter, key_checked, where
from tests.streams.bench import message

CAUSE = Cause("run-inbox", 2, 7, 1_795_000_000_123)


def letter_of(value: bytes | None, headers: dict[str, bytes] | None = None) -> DeadLetter:
    taken = message(7, value, b"key", partition=2, headers=headers)
    letter = decode(dead_letter(taken, CAUSE, "p.", "advance", "no reason").value)
    assert isinstance(letter, DeadLetter)
    return letter


def test_the_cause_has_the_broker_s_time_to_the_millisecond() -> None:
    assert cause_of(message(7, partition=2, at_ms=1_795_000_000_123), RUN_INBOX) == CAUSE


def test_a_dead_letter_is_the_message_as_it_came() -> None:
    letter = letter_of(b"value", {"trace": b"1"})
    assert (letter.key, letter.value, letter.headers) == (b"key", b"value", {"trace": b"1"})
    assert (letter.topic, letter.partition, letter.offset) == ("run-inbox", 2, 7)
    assert letter_of(None).value is None


def test_what_is_too_large_for_a_dead_letter_is_cut() -> None:
    letter = letter_of(b"x" * (VALUE_BYTES_MAX + 1), {"h": b"y" * HEADERS_BYTES_MAX})
    assert letter.value == b"x" * VALUE_BYTES_MAX
    assert letter.headers == {}


def test_a_key_decides_the_order_and_so_has_to_be_the_record_s() -> None:
    key_checked(message(1, key=b"r-1"), "r-1")
    with pytest.raises(MalformedMessage, match="not that of the record"):
        key_checked(message(1, key=None), "r-1")


def test_where_something_failed_is_said_without_what_was_in_it() -> None:
    try:
        int("secret")
    except ValueError as error:
        assert where(error).startswith("ValueError at test_inbound.py:")
        assert "secret" not in where(error)
