"""The bytes of rows and of the header of their changelog records."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.rows import HEADER, applied_of, header, header_of, packed, payload_of


@given(st.integers(0, 2**63 - 1), st.binary(max_size=50))
def test_a_row_gives_back_what_was_packed(applied: int, payload: bytes) -> None:
    row = packed(applied, payload)
    assert (applied_of(row), payload_of(row)) == (applied, payload)


def test_the_offset_comes_first_as_eight_bytes_big_endian() -> None:
    assert packed(258, b"x") == b"\x00\x00\x00\x00\x00\x00\x01\x02x"


def test_a_header_gives_back_its_offset_and_members() -> None:
    [(name, value)] = header(77, 3)
    assert name == HEADER
    assert header_of(value) == (77, 3)


def test_a_strange_header_is_refused() -> None:
    with pytest.raises(struct.error):
        header_of(b"short")
