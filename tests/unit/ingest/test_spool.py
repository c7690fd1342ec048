"""The spool keeps what it was given, in order, and gives back nothing else."""

import os
import stat
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from isal.isal_zlib import crc32
from prometheus_client import REGISTRY

from seakeeping.errors import SpoolBroken, SpoolFull, SpoolTaken, StoreTooNew
from seakeeping.ingest.otlp.body import Encoding
from seakeeping.ingest.spool import START, Position, Range, SpoolReader, SpoolRecord, SpoolWriter
from seakeeping.ingest.spool.format import (
    RECORD_HEADER_BYTES,
    SEGMENT_HEADER_BYTES,
    encode_records,
    segment_ids,
)
from seakeeping.records import Signal

MB = 2**20


class FakeClock:
    def __init__(self, now: float = 1000.0) -> None:
        self.at = now

    def now(self) -> float:
        return self.at

    def monotonic(self) -> float:
        return self.at


def record(body: bytes, received_at: float = 1.5) -> SpoolRecord:
    return SpoolRecord(Signal.LOGS, Encoding.JSON, received_at, body)


def writer(folder: Path, **changes: int) -> SpoolWriter:
    limits = {"limit_bytes": 64 * MB, "segment_bytes": 16 * MB, **changes}
    return SpoolWriter(folder, clock=FakeClock(), **limits)


def bodies(reader: SpoolReader, after: Position = START) -> list[bytes]:
    return [entry.record.body for entry in reader.read(after)]


def segments(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.seg"))


def damage(what: str) -> float:
    labels = {"where": "spool", "error": what}
    return REGISTRY.get_sample_value("seakeeping_handled_errors_total", labels) or 0.0


def fill(folder: Path, count: int, **changes: int) -> None:
    spool = writer(folder, **changes)
    for number in range(count):
        spool.append([record(str(number).encode())])
    spool.close()


@pytest.mark.parametrize("signal", list(Signal))
@pytest.mark.parametrize("encoding", list(Encoding))
@pytest.mark.parametrize("body", [b"", b"x", b"\x00" * 100_000, os.urandom(10_000)])
def test_a_record_comes_back_as_it_was(
    tmp_path: Path, signal: Signal, encoding: Encoding, body: bytes
) -> None:
    spool = writer(tmp_path)
    given = SpoolRecord(signal, encoding, 1700000000.123456, body)
    end = spool.append([given])
    (entry,) = SpoolReader(tmp_path).read(START)
    assert entry.record == given
    assert entry.end == end
    assert entry.start < end


def test_records_come_in_order_across_segments(tmp_path: Path) -> None:
    fill(tmp_path, 50, segment_bytes=200)
    assert len(segments(tmp_path)) > 5
    assert bodies(SpoolReader(tmp_path)) == [str(number).encode() for number in range(50)]


def test_a_group_is_read_record_by_record(tmp_path: Path) -> None:
    writer(tmp_path).append([record(b"a"), record(b"b"), record(b"c")])
    assert bodies(SpoolReader(tmp_path)) == [b"a", b"b", b"c"]


def test_reading_goes_on_behind_the_last_entry(tmp_path: Path) -> None:
    fill(tmp_path, 10, segment_bytes=200)
    reader, after, seen = SpoolReader(tmp_path), START, []
    while entries := reader.read(after, max_records=3):
        assert len(entries) <= 3
        seen += [entry.record.body for entry in entries]
        after = entries[-1].end
    assert seen == [str(number).encode() for number in range(10)]


def test_reading_stops_before_too_many_bytes_but_never_at_none(tmp_path: Path) -> None:
    spool = writer(tmp_path)
    spool.append([record(b"x" * 600), record(b"y" * 600), record(b"z" * 600)])
    reader = SpoolReader(tmp_path)
    assert len(reader.read(START, max_bytes=1300)) == 2
    assert len(reader.read(START, max_bytes=1)) == 1


def test_a_reader_follows_a_live_writer(tmp_path: Path) -> None:
    spool, reader = writer(tmp_path), SpoolReader(tmp_path)
    assert reader.read(START) == []
    after = START
    for number in range(20):
        end = spool.append([record(bytes([number]))])
        (entry,) = reader.read(after)
        assert entry.record.body == bytes([number])
        after = entry.end
        assert after == end
    assert reader.read(after) == []


def test_every_start_begins_a_new_segment(tmp_path: Path) -> None:
    for _ in range(3):
        fill(tmp_path, 1)
    assert len(segments(tmp_path)) == 3


def test_ids_grow_even_when_the_folder_was_emptied(tmp_path: Path) -> None:
    clock = FakeClock(1000)
    for _ in range(2):
        spool = SpoolWriter(tmp_path, limit_bytes=MB, clock=clock)
        spool.append([record(b"x")])
        spool.close()
        for path in tmp_path.iterdir():
            path.unlink()
        clock.at += 1
        last = int(clock.at)
    spool = SpoolWriter(tmp_path, limit_bytes=MB, clock=clock)
    assert spool.append([record(b"x")]).segment == last


def test_ids_grow_when_the_clock_goes_back(tmp_path: Path) -> None:
    first = SpoolWriter(tmp_path, limit_bytes=MB, clock=FakeClock(1000))
    end = first.append([record(b"x")])
    first.close()
    SpoolReader(tmp_path).advance(Position(end.segment + 7, 0))
    second = SpoolWriter(tmp_path, limit_bytes=MB, clock=FakeClock(10))
    assert second.append([record(b"y")]).segment == end.segment + 8


def test_files_are_for_the_owner_only(tmp_path: Path) -> None:
    folder = tmp_path / "spool"
    spool = writer(folder)
    spool.append([record(b"x")])
    SpoolReader(folder).advance(START)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for path in folder.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


def test_a_second_writer_is_refused_by_name(tmp_path: Path) -> None:
    spool = writer(tmp_path)
    with pytest.raises(SpoolTaken, match=f"process {os.getpid()}"):
        writer(tmp_path)
    spool.close()
    writer(tmp_path).close()


# Bounded size


def test_a_full_spool_says_so_and_takes_again_once_read(tmp_path: Path) -> None:
    clock = FakeClock()
    spool = SpoolWriter(tmp_path, limit_bytes=40_000, segment_bytes=10_000, clock=clock)
    for _ in range(12):
        spool.append([record(os.urandom(3000))])
    with pytest.raises(SpoolFull, match="of at most 40000 bytes"):
        spool.append([record(os.urandom(4000))])
    assert sum(path.stat().st_size for path in segments(tmp_path)) <= 40_000
    reader = SpoolReader(tmp_path)
    entries = reader.read(START)
    assert len(entries) == 12
    reader.advance(entries[-1].end)
    spool.append([record(os.urandom(3000))])
    assert len(reader.read(entries[-1].end)) == 1


def test_a_reader_at_the_heels_of_the_writer_sees_no_damage(tmp_path: Path) -> None:
    spool, reader, before = writer(tmp_path), SpoolReader(tmp_path), damage("record_damaged")
    written = [bytes([number % 251]) * 300 for number in range(3000)]

    def write() -> None:
        for number in range(0, len(written), 2):
            spool.append([record(body) for body in written[number : number + 2]])

    thread = threading.Thread(target=write)
    thread.start()
    seen: list[bytes] = []
    place = START
    while len(seen) < len(written):
        for entry in reader.read(place):
            seen.append(entry.record.body)
            place = entry.end
    thread.join()
    assert seen == written
    assert damage("record_damaged") == before


def test_what_an_earlier_run_left_counts(tmp_path: Path) -> None:
    spool = writer(tmp_path)
    spool.append([record(os.urandom(30_000))])
    spool.close()
    with pytest.raises(SpoolFull):
        writer(tmp_path, limit_bytes=50_000).append([record(os.urandom(30_000))])


def test_resting_leaves_the_segment_for_the_reader_to_delete(tmp_path: Path) -> None:
    spool, reader = writer(tmp_path), SpoolReader(tmp_path)
    end = spool.append([record(b"x")])
    reader.advance(end)
    assert len(segments(tmp_path)) == 1, "it may still grow"
    spool.rest()
    spool.rest()
    assert reader.read(end) == []
    (path,) = segments(tmp_path)
    assert path.stat().st_size == SEGMENT_HEADER_BYTES
    spool.append([record(b"y")])
    assert segments(tmp_path) == [path]
    assert bodies(reader, end) == [b"y"]


def test_resting_on_a_full_disk_is_harmless(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = writer(tmp_path)
    spool.append([record(b"x")])
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", TiredDisk(0))
        spool.rest()
    spool.append([record(b"y")])
    assert bodies(SpoolReader(tmp_path)) == [b"x", b"y"]


def test_a_restart_leaves_what_the_last_run_had_stored(tmp_path: Path) -> None:
    fill(tmp_path, 1)
    reader = SpoolReader(tmp_path)
    reader.advance(reader.read(START)[-1].end)
    spool = writer(tmp_path)
    assert reader.read(reader.cursor()) == []
    assert [path.stat().st_size for path in segments(tmp_path)] == [SEGMENT_HEADER_BYTES]
    spool.close()


# Cursor


def test_the_cursor_survives_and_deletes_what_lies_behind(tmp_path: Path) -> None:
    fill(tmp_path, 20, segment_bytes=200)
    reader = SpoolReader(tmp_path)
    entries = reader.read(START)
    middle = entries[11]
    reader.advance(middle.end)
    reader.close()
    again = SpoolReader(tmp_path)
    assert again.cursor() == middle.end
    assert bodies(again, again.cursor()) == [str(number).encode() for number in range(12, 20)]
    assert segment_ids(os.listdir(tmp_path))[0] >= middle.end.segment
    assert len(segments(tmp_path)) <= 3


def test_the_cursor_never_goes_back(tmp_path: Path) -> None:
    reader = SpoolReader(tmp_path)
    reader.advance(Position(5, 100))
    with pytest.raises(ValueError, match="never goes back"):
        reader.advance(Position(5, 99))


def test_a_batch_begun_is_cut_the_same_after_a_crash(tmp_path: Path) -> None:
    fill(tmp_path, 12, segment_bytes=200)
    reader = SpoolReader(tmp_path)
    first = reader.read(START, max_records=5)
    reader.mark(START, first[-1].end)
    again = SpoolReader(tmp_path)
    batch = again.pending()
    assert batch == Range(START, first[-1].end)
    assert again.read_range(batch) == first
    again.advance(batch.end)
    assert SpoolReader(tmp_path).pending() is None


def test_a_torn_cursor_write_leaves_the_state_before(tmp_path: Path) -> None:
    reader = SpoolReader(tmp_path)
    reader.advance(Position(5, 1))
    reader.mark(Position(5, 1), Position(6, 2))
    data = bytearray((tmp_path / "cursor").read_bytes())
    newest = 4096 * (2 % 2)
    data[newest + 20] ^= 1
    (tmp_path / "cursor").write_bytes(data)
    again = SpoolReader(tmp_path)
    assert again.cursor() == Position(5, 1)
    assert again.pending() is None
    again.advance(Position(7, 0))
    assert SpoolReader(tmp_path).cursor() == Position(7, 0)


def test_a_ruined_cursor_reads_everything_again_and_is_counted(tmp_path: Path) -> None:
    fill(tmp_path, 3)
    reader = SpoolReader(tmp_path)
    reader.advance(reader.read(START)[1].end)
    (tmp_path / "cursor").write_bytes(b"\xff" * 100)
    before = damage("cursor_damaged")
    again = SpoolReader(tmp_path)
    assert damage("cursor_damaged") == before + 1
    assert bodies(again, again.cursor()) == [b"0", b"1", b"2"]


def test_a_cursor_that_cannot_be_written_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = SpoolReader(tmp_path)
    monkeypatch.setattr(os, "pwrite", raising(OSError(28, "No space left on device")))
    with pytest.raises(SpoolBroken, match="No space"):
        reader.advance(Position(5, 0))
    assert reader.cursor() == START


def test_the_backlog_is_what_lies_behind_the_cursor(tmp_path: Path) -> None:
    fill(tmp_path, 10, segment_bytes=200)
    reader = SpoolReader(tmp_path)
    whole = reader.backlog_bytes()
    assert whole == sum(path.stat().st_size for path in segments(tmp_path))
    reader.advance(reader.read(START)[-1].end)
    assert reader.backlog_bytes() == 0


# Damage


def raising(error: Exception) -> Callable[..., int]:
    def fail(*_: object) -> int:
        raise error

    return fail


def test_a_torn_tail_of_the_live_segment_is_waited_for(tmp_path: Path) -> None:
    fill(tmp_path, 2)
    (path,) = segments(tmp_path)
    whole = path.read_bytes()
    before = damage("torn_tail")
    for cut in range(1, 40):
        path.write_bytes(whole[:-cut])
        assert bodies(SpoolReader(tmp_path)) == [b"0"]
    path.write_bytes(whole)
    assert bodies(SpoolReader(tmp_path)) == [b"0", b"1"]
    assert damage("torn_tail") == before


@pytest.mark.parametrize("cut", [1, 10, 35])
def test_a_torn_tail_of_an_old_segment_is_skipped_and_counted_once(
    tmp_path: Path, cut: int
) -> None:
    fill(tmp_path, 2)
    (path,) = segments(tmp_path)
    path.write_bytes(path.read_bytes()[:-cut])
    fill(tmp_path, 1)
    before = damage("torn_tail")
    reader = SpoolReader(tmp_path)
    assert bodies(reader) == bodies(reader) == [b"0", b"0"]
    assert damage("torn_tail") == before + 1


def test_damage_in_the_middle_costs_only_the_record_it_hits(tmp_path: Path) -> None:
    fill(tmp_path, 3)
    (path,) = segments(tmp_path)
    whole = path.read_bytes()
    first, second, third = SpoolReader(tmp_path).read(START)
    for offset in range(second.start.offset, second.end.offset):
        data = bytearray(whole)
        data[offset] ^= 0x40
        path.write_bytes(data)
        assert SpoolReader(tmp_path).read(START) == [first, third]


def test_a_damaged_segment_header_hides_no_record(tmp_path: Path) -> None:
    fill(tmp_path, 2)
    (path,) = segments(tmp_path)
    data = bytearray(path.read_bytes())
    data[9] ^= 1
    path.write_bytes(data)
    before = damage("segment_header_damaged")
    assert bodies(SpoolReader(tmp_path)) == [b"0", b"1"]
    assert damage("segment_header_damaged") == before + 1


def test_a_spool_inside_a_body_is_never_taken_for_records(tmp_path: Path) -> None:
    inner = encode_records([record(b"inner")], [b"inner"], Position(1000, SEGMENT_HEADER_BYTES))
    spool = writer(tmp_path)
    spool.append([record(os.urandom(50) + inner + os.urandom(50))])
    spool.append([record(b"outer")])
    (path,) = segments(tmp_path)
    data = bytearray(path.read_bytes())
    assert inner in data, "incompressible bodies lie as they are"
    data[SEGMENT_HEADER_BYTES] ^= 1
    path.write_bytes(data)
    assert bodies(SpoolReader(tmp_path)) == [b"outer"]


@pytest.mark.parametrize("is_old", [True, False])
def test_a_segment_without_its_header_is_harmless(tmp_path: Path, is_old: bool) -> None:
    fill(tmp_path, 1)
    number = 1 if is_old else 10**9
    (tmp_path / f"spool-{number:012d}.seg").write_bytes(b"SEAS")
    assert bodies(SpoolReader(tmp_path)) == [b"0"]


def newer_segment(folder: Path) -> None:
    head = bytearray(b"SEASPOOL\x02\x00\x00\x00")
    (folder / "spool-000000000001.seg").write_bytes(head + crc32(head).to_bytes(4, "little"))


def test_a_newer_format_is_refused_by_both_ends(tmp_path: Path) -> None:
    newer_segment(tmp_path)
    with pytest.raises(StoreTooNew, match="spool format 2"):
        writer(tmp_path)
    with pytest.raises(StoreTooNew, match="spool format 2"):
        SpoolReader(tmp_path).read(START)


def test_a_newer_cursor_is_refused(tmp_path: Path) -> None:
    reader = SpoolReader(tmp_path)
    reader.advance(Position(3, 0))
    path = tmp_path / "cursor"
    data = bytearray(path.read_bytes())
    slot = data[4096:]
    slot[8] = 2
    slot[68:72] = crc32(bytes(slot[:68])).to_bytes(4, "little")
    path.write_bytes(data[:4096] + slot)
    with pytest.raises(StoreTooNew, match="cursor format 2"):
        SpoolReader(tmp_path)


# A disk that refuses


class TiredDisk:
    """``os.write`` that takes ``room`` more bytes and then has no space left."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.write = os.write

    def __call__(self, fd: int, data: bytes | memoryview) -> int:
        if self.room <= 0:
            raise OSError(28, "No space left on device")
        taken = self.write(fd, data[: self.room])
        self.room -= taken
        return taken


@pytest.mark.parametrize("room", [0, 1, 31, 40])
def test_a_full_disk_loses_nothing_that_was_acknowledged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    spool = writer(tmp_path)
    spool.append([record(b"kept")])
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", TiredDisk(room))
        for _ in range(3):
            with pytest.raises(SpoolBroken, match="No space left"):
                spool.append([record(b"lost"), record(b"lost too")])
    assert spool.append([record(b"after")]).segment > 1000
    before = damage("torn_tail")
    assert bodies(SpoolReader(tmp_path)) == [b"kept", b"after"]
    assert damage("torn_tail") == before, "the failed write was taken back"


def test_a_failed_sync_is_not_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = writer(tmp_path)
    first = spool.append([record(b"kept")])
    with monkeypatch.context() as patch:
        patch.setattr(os, "fdatasync", raising(OSError(5, "Input/output error")))
        with pytest.raises(SpoolBroken, match="Input/output"):
            spool.append([record(b"unsure")])
    assert spool.append([record(b"after")]).segment > first.segment
    assert bodies(SpoolReader(tmp_path)) == [b"kept", b"after"]


def test_what_cannot_be_taken_back_is_a_torn_tail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = writer(tmp_path)
    spool.append([record(b"kept")])
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", TiredDisk(RECORD_HEADER_BYTES + 3))
        patch.setattr(os, "ftruncate", raising(OSError(5, "Input/output error")))
        with pytest.raises(SpoolBroken):
            spool.append([record(b"lost")])
    spool.append([record(b"after")])
    assert bodies(SpoolReader(tmp_path)) == [b"kept", b"after"]


def test_a_full_disk_at_a_new_segment_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = writer(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", TiredDisk(5))
        with pytest.raises(SpoolBroken):
            spool.append([record(b"lost")])
    assert segments(tmp_path) == []


def test_a_reader_past_a_truncated_segment_goes_on_with_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may have read a group whose sync then failed: that group's clients send it again."""
    spool = writer(tmp_path)
    end = spool.append([record(b"kept")])
    with monkeypatch.context() as patch:
        patch.setattr(os, "fdatasync", raising(OSError(5, "Input/output error")))
        with pytest.raises(SpoolBroken):
            spool.append([record(b"unsure")])
    beyond = Position(end.segment, end.offset + 40)
    reader = SpoolReader(tmp_path)
    assert reader.read(beyond) == []
    spool.append([record(b"after")])
    assert bodies(reader, beyond) == [b"after"]
