"""Content encodings: both ways, bounded, honest about broken bodies."""

import gzip
import zlib

import lz4.frame
import pytest
import zstandard

from seakeeping.store.engine.encoding import (
    BadEncoding,
    BodyTooLarge,
    Deflater,
    inflate,
    negotiate,
)

PACKERS = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "zstd": zstandard.ZstdCompressor().compress,
    "lz4": lz4.frame.compress,
}


@pytest.mark.parametrize("encoding", ["", "identity", *PACKERS])
def test_a_body_comes_back(encoding: str) -> None:
    plain = b"some text " * 1000
    packed = PACKERS[encoding](plain) if encoding in PACKERS else plain
    assert inflate(encoding, packed, 100_000) == plain


@pytest.mark.parametrize("encoding", ["identity", *PACKERS])
def test_the_limit_counts_after_inflation(encoding: str) -> None:
    plain = b"x" * 1_000_000
    packed = PACKERS[encoding](plain) if encoding in PACKERS else plain
    with pytest.raises(BodyTooLarge):
        inflate(encoding, packed, 999_999)
    assert inflate(encoding, packed, 1_000_000) == plain


@pytest.mark.parametrize("encoding", PACKERS)
def test_a_body_that_is_cut_off_is_refused(encoding: str) -> None:
    packed = PACKERS[encoding](b"some text" * 1000)
    with pytest.raises(BadEncoding):
        inflate(encoding, packed[:-6], 100_000)


@pytest.mark.parametrize("encoding", [*PACKERS, "br", "compress"])
def test_nonsense_is_refused(encoding: str) -> None:
    with pytest.raises(BadEncoding):
        inflate(encoding, b"this is not compressed at all", 1000)


def test_frames_one_after_the_other_are_one_body() -> None:
    for encoding in ("lz4", "zstd"):
        packed = PACKERS[encoding](b"a" * 10) + PACKERS[encoding](b"b" * 10)
        assert inflate(encoding, packed, 100) == b"a" * 10 + b"b" * 10


@pytest.mark.parametrize("encoding", ["", *PACKERS])
def test_what_is_deflated_in_blocks_inflates_as_one(encoding: str) -> None:
    deflater = Deflater(encoding)
    packed = b"".join([deflater.block(b"one "), deflater.block(b"two"), deflater.end()])
    assert inflate(encoding, packed, 100) == b"one two"


@pytest.mark.parametrize("encoding", ["", *PACKERS])
def test_an_empty_body_is_a_whole_body(encoding: str) -> None:
    assert inflate(encoding, Deflater(encoding).end(), 100) == b""


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [("", ""), ("br", ""), ("gzip, deflate", "gzip"), ("lz4;q=0.1, zstd", "lz4"), ("ZSTD", "zstd")],
)
def test_the_client_chooses_among_ours(accept: str, chosen: str) -> None:
    assert negotiate(accept) == chosen
