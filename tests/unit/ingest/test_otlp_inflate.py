import gzip
import random
import zlib
from collections.abc import Callable

import pytest
import zstandard

from seakeeping.errors import BadPayload, PayloadTooLarge
from seakeeping.ingest.otlp import inflate

MIB = 1 << 20


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


def zstd(data: bytes) -> bytes:
    return zstandard.ZstdCompressor().compress(data)


PACKERS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "gzip": ("gzip", gzip.compress),
    "x-gzip": ("x-gzip", gzip.compress),
    "deflate": ("deflate", zlib.compress),
    "bare deflate": ("deflate", raw_deflate),
    "zstd": ("zstd", zstd),
}
every_packer = pytest.mark.parametrize(("coding", "pack"), PACKERS.values(), ids=PACKERS)


@every_packer
@pytest.mark.parametrize("size", [0, 1, 1000, 65_536, 300_001])
def test_what_was_packed_comes_out(coding: str, pack: Callable[[bytes], bytes], size: int) -> None:
    data = random.Random(size).randbytes(size)
    assert inflate(coding, pack(data), MIB) == data
    assert inflate(coding, pack(bytes(size)), MIB) == bytes(size)


@every_packer
def test_every_truncation_is_refused(coding: str, pack: Callable[[bytes], bytes]) -> None:
    packed = pack(b"span " * 40 + bytes(range(256)))
    for cut in range(len(packed)):
        with pytest.raises(BadPayload):
            inflate(coding, packed[:cut], MIB)


@every_packer
def test_a_bomb_ends_at_the_limit(coding: str, pack: Callable[[bytes], bytes]) -> None:
    bomb = pack(bytes(64 * MIB))
    assert len(bomb) < MIB // 4
    with pytest.raises(PayloadTooLarge, match="1048576"):
        inflate(coding, bomb, MIB)


@every_packer
def test_the_limit_itself_is_allowed(coding: str, pack: Callable[[bytes], bytes]) -> None:
    assert inflate(coding, pack(bytes(1000)), 1000) == bytes(1000)
    with pytest.raises(PayloadTooLarge):
        inflate(coding, pack(bytes(1001)), 1000)


@every_packer
def test_garbage_after_the_end_is_refused(coding: str, pack: Callable[[bytes], bytes]) -> None:
    with pytest.raises(BadPayload):
        inflate(coding, pack(b"span") + b"garbage", MIB)


@every_packer
def test_random_bytes_are_refused(coding: str, pack: Callable[[bytes], bytes]) -> None:
    noise = random.Random(7)
    for _ in range(200):
        with pytest.raises(BadPayload):
            inflate(coding, b"\xff" + noise.randbytes(noise.randrange(1, 200)), MIB)


@pytest.mark.parametrize(("coding", "pack"), [("gzip", gzip.compress), ("zstd", zstd)])
def test_several_members_are_one_body(coding: str, pack: Callable[[bytes], bytes]) -> None:
    assert inflate(coding, pack(b"one ") + pack(b"") + pack(b"two"), MIB) == b"one two"
    with pytest.raises(PayloadTooLarge):
        inflate(coding, pack(bytes(600)) + pack(bytes(600)), 1000)


@pytest.mark.parametrize(("coding", "pack"), [("gzip", gzip.compress), ("zstd", zstd)])
def test_members_are_bounded_in_number(coding: str, pack: Callable[[bytes], bytes]) -> None:
    assert inflate(coding, pack(b"x") * 1000, MIB) == b"x" * 1000
    with pytest.raises(BadPayload, match="more than 1000"):
        inflate(coding, pack(b"x") * 1001, MIB)


def test_a_flipped_bit_fails_the_checksum_of_gzip() -> None:
    packed = bytearray(gzip.compress(b"span " * 100))
    packed[-6] ^= 1
    with pytest.raises(BadPayload, match="gzip"):
        inflate("gzip", bytes(packed), MIB)


def test_zeros_may_pad_a_gzip_body() -> None:
    assert inflate("gzip", gzip.compress(b"span") + bytes(512), MIB) == b"span"
    with pytest.raises(BadPayload):
        inflate("gzip", gzip.compress(b"span") + bytes(5) + b"x", MIB)


def test_a_zstd_frame_may_not_ask_for_a_huge_window() -> None:
    settings = zstandard.ZstdCompressionParameters(window_log=27, compression_level=1)
    packed = zstandard.ZstdCompressor(compression_params=settings).compressobj()
    body = packed.compress(bytes(1000)) + packed.flush()
    with pytest.raises(BadPayload, match="zstd"):
        inflate("zstd", body, MIB)


@pytest.mark.parametrize("coding", ["", "identity", " Identity "])
def test_identity_is_bounded_too(coding: str) -> None:
    assert inflate(coding, b"span", 4) == b"span"
    with pytest.raises(PayloadTooLarge):
        inflate(coding, b"spans", 4)


def test_an_unknown_coding_names_the_known_ones() -> None:
    with pytest.raises(BadPayload, match="snappy") as refused:
        inflate("snappy", b"", MIB)
    assert "gzip, deflate, zstd" in refused.value.hint


def test_codings_are_case_insensitive() -> None:
    assert inflate("GZIP", gzip.compress(b"span"), MIB) == b"span"
