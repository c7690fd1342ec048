"""Whatever happens to the disk, the spool returns what it was given, in order, or nothing.

The model: a list of acknowledged bodies and what befell them. Against it run random appends,
failed writes, crashes that cut a tail, restarts of either end, and flipped bits.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from seakeeping.errors import SpoolBroken
from seakeeping.ingest.otlp import Encoding
from seakeeping.ingest.spool import START, Position, SpoolReader, SpoolRecord, SpoolWriter
from seakeeping.ingest.spool.format import SEGMENT_HEADER_BYTES, segment_ids, segment_path
from seakeeping.records import Signal

BODIES = st.binary(max_size=300)


def record(body: bytes) -> SpoolRecord:
    return SpoolRecord(Signal.TRACES, Encoding.PROTOBUF, 1.0, body)


class SteadyClock:
    def now(self) -> float:
        return 1000.0

    def monotonic(self) -> float:
        return 0.0


@contextmanager
def disk_with_room(room: int) -> Iterator[None]:
    """Let ``os.write`` take ``room`` bytes and then fail, and sometimes ``ftruncate`` too."""
    left, write = [room], os.write

    def failing(fd: int, data: bytes | memoryview) -> int:
        if left[0] <= 0:
            raise OSError(28, "No space left on device")
        taken = write(fd, data[: left[0]])
        left[0] -= taken
        return taken

    with patch.object(os, "write", failing):
        yield


class SpoolMachine(RuleBasedStateMachine):
    """Two ends that crash; what was acknowledged is read exactly once, in order."""

    def __init__(self) -> None:
        super().__init__()
        self._root = tempfile.TemporaryDirectory()
        self.folder = Path(self._root.name) / "spool"
        self.given: list[bytes] = []
        self.taken: list[bytes] = []
        self.number = 0

    @initialize()
    def start(self) -> None:
        self.writer = self.new_writer()
        self.reader = SpoolReader(self.folder)
        self.at = self.reader.cursor()

    def new_writer(self) -> SpoolWriter:
        return SpoolWriter(self.folder, limit_bytes=2**20, segment_bytes=700, clock=SteadyClock())

    def unique(self, body: bytes) -> bytes:
        self.number += 1
        return b"%d " % self.number + body

    @rule(bodies=st.lists(BODIES, min_size=1, max_size=4))
    def append(self, bodies: list[bytes]) -> None:
        bodies = [self.unique(body) for body in bodies]
        self.writer.append([record(body) for body in bodies])
        self.given += bodies

    @rule(bodies=st.lists(BODIES, min_size=1, max_size=4), room=st.integers(0, 200))
    def append_to_a_full_disk(self, bodies: list[bytes], room: int) -> None:
        bodies = [self.unique(body) for body in bodies]
        try:
            with disk_with_room(room):
                self.writer.append([record(body) for body in bodies])
        except SpoolBroken:
            return
        self.given += bodies

    @rule(torn=st.binary(max_size=80))
    def kill_the_writer_in_mid_write(self, torn: bytes) -> None:
        self.writer.close()  # what a kill does: descriptors and lock go, nothing is tidied
        if ids := segment_ids(os.listdir(self.folder)):
            with segment_path(self.folder, ids[-1]).open("ab") as file:
                file.write(torn)
        self.writer = self.new_writer()

    @rule()
    def rest_the_writer(self) -> None:
        self.writer.rest()

    @rule(most=st.integers(1, 5))
    def read_and_advance(self, most: int) -> None:
        entries = self.reader.read(self.at, max_records=most)
        if entries:
            self.reader.mark(self.at, entries[-1].end)
            self.at = entries[-1].end
            self.reader.advance(self.at)
            self.taken += [entry.record.body for entry in entries]

    @rule(most=st.integers(1, 5))
    def kill_the_reader_before_it_is_done(self, most: int) -> None:
        entries = self.reader.read(self.at, max_records=most)
        if entries:
            self.reader.mark(self.at, entries[-1].end)
        self.reader.close()
        self.reader = SpoolReader(self.folder)
        batch = self.reader.pending()
        if entries:
            assert batch is not None
            assert self.reader.read_range(batch) == entries
        self.at = self.reader.cursor()

    @invariant()
    def what_was_taken_was_given_in_order(self) -> None:
        assert self.taken == self.given[: len(self.taken)]

    def teardown(self) -> None:
        if hasattr(self, "reader"):
            self.taken += [entry.record.body for entry in self.reader.read(self.at)]
            assert self.taken == self.given
            self.reader.close()
            self.writer.close()
        self._root.cleanup()


TestSpoolMachine = SpoolMachine.TestCase
TestSpoolMachine.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)


@dataclass
class Filled:
    """A spool of several segments, and what lies where."""

    folder: Path
    files: dict[Path, bytes] = field(default_factory=dict)
    records: list[tuple[Position, Position, bytes]] = field(default_factory=list)

    def restore(self) -> None:
        for path, data in self.files.items():
            path.write_bytes(data)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Filled:
    found = Filled(tmp_path_factory.mktemp("filled"))
    writer = SpoolWriter(found.folder, limit_bytes=2**20, segment_bytes=600, clock=SteadyClock())
    for number in range(12):
        writer.append([record(b"%d " % number + bytes(range(60 + number * 5)))])
    writer.close()
    for entry in SpoolReader(found.folder).read(START):
        found.records.append((entry.start, entry.end, entry.record.body))
    found.files = {path: path.read_bytes() for path in found.folder.glob("*.seg")}
    assert len(found.files) >= 3
    return found


COMMON = settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@COMMON
@given(data=st.data())
def test_flipped_bits_cost_only_the_records_they_hit(filled: Filled, data: st.DataObject) -> None:
    filled.restore()
    hit: set[bytes] = set()
    for _ in range(data.draw(st.integers(1, 4))):
        path = data.draw(st.sampled_from(sorted(filled.files)))
        content = bytearray(path.read_bytes())
        offset = data.draw(st.integers(0, len(content) - 1))
        content[offset] ^= 1 << data.draw(st.integers(0, 7))
        path.write_bytes(content)
        hit |= {
            body
            for start, end, body in filled.records
            if segment_path(filled.folder, start.segment) == path
            and start.offset <= offset < end.offset
        }
    read = [entry.record.body for entry in SpoolReader(filled.folder).read(START)]
    whole = [body for _, _, body in filled.records]
    assert [body for body in whole if body not in hit] == [b for b in read if b not in hit]
    assert set(read) <= set(whole), "nothing is returned that was not given"


@COMMON
@given(data=st.data())
def test_a_segment_cut_anywhere_keeps_what_lies_before_the_cut(
    filled: Filled, data: st.DataObject
) -> None:
    filled.restore()
    path = data.draw(st.sampled_from(sorted(filled.files)))
    cut = data.draw(st.integers(0, len(filled.files[path])))
    path.write_bytes(filled.files[path][:cut])
    expected = [
        body
        for start, end, body in filled.records
        if segment_path(filled.folder, start.segment) != path or end.offset <= cut
    ]
    assert [entry.record.body for entry in SpoolReader(filled.folder).read(START)] == expected


@COMMON
@given(garbage=st.binary(max_size=500), offset=st.integers(0, 300))
def test_garbage_is_never_a_record(filled: Filled, garbage: bytes, offset: int) -> None:
    filled.restore()
    path = max(filled.files)
    content = filled.files[path]
    path.write_bytes(content[: SEGMENT_HEADER_BYTES + offset] + garbage)
    given_ = {body for _, _, body in filled.records}
    read = [entry.record.body for entry in SpoolReader(filled.folder).read(START)]
    assert set(read) <= given_
    assert len(read) == len(set(read))
