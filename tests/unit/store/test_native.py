"""Native blocks, byte by byte; that a server reads them is the contract suite's."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seakeeping.store import native


def read_strings(data: bytes) -> list[bytes]:
    found = []
    while data:
        size, shift, at = 0, 0, 0
        while True:
            size |= (data[at] & 127) << shift
            shift += 7
            at += 1
            if data[at - 1] < 128:
                break
        found.append(data[at : at + size])
        data = data[at + size :]
    return found


@given(st.lists(st.text(max_size=300), max_size=20))
def test_strings_are_length_and_bytes(values: list[str]) -> None:
    column = native.strings("s", values)
    assert read_strings(column.data) == [v.encode("utf-8", "replace") for v in values]


@pytest.mark.parametrize("size", [0, 1, 127, 128, 16_383, 16_384, 70_000, 3_000_000])
def test_lengths_of_any_size_are_written(size: int) -> None:
    assert [len(v) for v in read_strings(native.strings("s", ["x" * size]).data)] == [size]
    assert [len(v) for v in read_strings(native.blobs("s", [b"x" * size]).data)] == [size]


def test_a_missing_string_is_empty_and_a_lone_surrogate_does_no_harm() -> None:
    assert read_strings(native.strings("s", [None, "a\ud800b"]).data) == [b"", b"a?b"]


def test_missing_numbers_are_marked() -> None:
    column = native.optional_integers("n", [1, None])
    assert column.type == "Nullable(Int64)"
    assert column.data == b"\0\1" + struct.pack("<qq", 1, 0)
    assert native.optional_flags("f", [None, True, False]).data == b"\1\0\0" + b"\0\1\0"
    assert native.optional_floats("f", [2.5, None]).data[:2] == b"\0\1"


def test_times_are_microseconds() -> None:
    assert native.times("at", [1.5]).data == struct.pack("<q", 1_500_000)
    assert native.seconds("at", [300]).data == struct.pack("<I", 300)


@given(st.integers(0, 4_000_000_000_000_000))
def test_a_microsecond_survives_the_way_through_a_float(at: int) -> None:
    assert native.micros(at / 1e6) == at


def test_lists_are_ends_and_values() -> None:
    data = native.float_lists("l", [[1.0], [], [2.0, 3.0]]).data
    assert data == struct.pack("<QQQ", 1, 1, 3) + struct.pack("<ddd", 1, 2, 3)


def test_a_block_names_its_columns() -> None:
    block = native.block(
        2, [native.flags("a", [True, False]), native.integers("b", [1, 2], "UInt64")]
    )
    assert block.columns == ("a", "b")
    assert block.data == (
        b"\2\2" + b"\1a\5UInt8" + b"\1\0" + b"\1b\6UInt64" + struct.pack("<QQ", 1, 2)
    )
    assert native.floats("f", [0.5]).data == struct.pack("<d", 0.5)
