"""The wire format that checked expressions are read in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.expressions_wire import BYTES, FIXED_32, FIXED_64, VARINT, first, first_int, read, write

NUMBERS = st.integers(1, 2**20)
FIELDS = st.lists(
    st.one_of(
        st.tuples(NUMBERS, st.just(VARINT), st.integers(0, 2**63 - 1)),
        st.tuples(NUMBERS, st.just(BYTES), st.binary(max_size=300)),
        st.tuples(NUMBERS, st.just(FIXED_64), st.binary(min_size=8, max_size=8)),
        st.tuples(NUMBERS, st.just(FIXED_32), st.binary(min_size=4, max_size=4)),
    )
)


@given(FIELDS)
def test_what_is_written_is_read_back(fields: list[tuple[int, int, int | bytes]]) -> None:
    assert read(write(fields)) == fields


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused_and_never_changed(data: bytes) -> None:
    try:
        fields = read(data)
    except ValueError:
        return
    assert read(write(fields)) == fields


def test_a_message_that_was_cut_is_refused() -> None:
    whole = write([(1, BYTES, b"abc")])
    with pytest.raises(ValueError, match="does not fit"):
        read(whole[:-1])
    with pytest.raises(ValueError, match="does not end"):
        read(b"\x08\xff")
    with pytest.raises(ValueError, match="wire type 3"):
        read(b"\x0b")


def test_the_first_field_of_a_number_is_taken_and_a_missing_one_is_empty() -> None:
    fields = read(write([(1, BYTES, b"a"), (1, BYTES, b"b"), (2, VARINT, 300)]))
    assert (first(fields, 1), first(fields, 2), first(fields, 9)) == (b"a", b"", b"")
    assert (first_int(fields, 2), first_int(fields, 1), first_int(fields, 9)) == (300, 0, 0)
