"""A real writer is killed in mid-write, again and again; nothing it acknowledged is lost."""

import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from seakeeping.errors import SpoolTaken
from seakeeping.ingest.spool import START, Position, SpoolReader, SpoolWriter

WRITER = """
import json, os, sys
from pathlib import Path
from seakeeping.ingest.otlp import Encoding
from seakeeping.ingest.spool import SpoolRecord, SpoolWriter
from seakeeping.records import Signal

writer = SpoolWriter(Path(sys.argv[1]), limit_bytes=2**30, segment_bytes=50_000)
number = int(sys.argv[2])
while True:
    group = []
    for _ in range(1 + number % 5):
        body = json.dumps({"number": number}).encode() + os.urandom(number * 37 % 3000)
        group.append(SpoolRecord(Signal.TRACES, Encoding.PROTOBUF, 0.0, body))
        number += 1
    writer.append(group)
    print(number, flush=True)
"""


def begin(folder: Path, number: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(folder), str(number)],
        stdout=subprocess.PIPE,
        text=True,
    )


def kill_after(process: subprocess.Popen[str], acknowledgements: int) -> int:
    """Kill the writer once it has acknowledged so often; return the number it reached."""
    assert process.stdout is not None
    reached = 0
    for _ in range(acknowledgements):
        reached = int(process.stdout.readline())
    process.send_signal(signal.SIGKILL)
    for line in process.stdout:  # acknowledged before it died
        reached = int(line) if line.endswith("\n") else reached
    process.wait()
    process.stdout.close()
    return reached


def numbers(reader: SpoolReader, after: Position) -> tuple[list[int], Position]:
    found = []
    while entries := reader.read(after):
        after = entries[-1].end
        for entry in entries:
            found.append(json.JSONDecoder().raw_decode(entry.record.body.decode("latin-1"))[0])
    return [item["number"] for item in found], after


def test_kill_nine_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    chance = random.Random(7)
    reader, after, next_number = SpoolReader(tmp_path), START, 0
    for _ in range(8):
        process = begin(tmp_path, next_number)
        acknowledged = kill_after(process, chance.randint(1, 60))
        read, after = numbers(reader, after)
        last = max(read) + 1
        assert read == list(range(next_number, last)), "in order, without gaps or repeats"
        assert last >= acknowledged
        next_number = last
        reader.advance(after)
    assert len(list(tmp_path.glob("*.seg"))) == 1, "segments behind the cursor are deleted"


LIMITED = """
import os, resource, sys
from pathlib import Path
from seakeeping.errors import SpoolBroken
from seakeeping.ingest.otlp import Encoding
from seakeeping.ingest.spool import SpoolRecord, SpoolWriter
from seakeeping.records import Signal

def limit(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

writer = SpoolWriter(Path(sys.argv[1]), limit_bytes=2**30)
acknowledged = 0
for number in range(60):
    limit((number * 7919) % 9000 + 1 if number % 3 else resource.RLIM_INFINITY)
    body = b"%d " % number + os.urandom(2000)
    try:
        writer.append([SpoolRecord(Signal.TRACES, Encoding.PROTOBUF, 0.0, body)])
    except SpoolBroken:
        continue
    print(number, flush=True)
"""


def test_a_kernel_that_cuts_writes_short_costs_only_what_was_refused(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(tmp_path)], capture_output=True, text=True, check=True
    )
    acknowledged = [int(line) for line in done.stdout.split()]
    assert 20 <= len(acknowledged) < 60
    read = [entry.record.body for entry in SpoolReader(tmp_path).read(START)]
    assert [int(body.partition(b" ")[0]) for body in read] == acknowledged


def test_a_reader_follows_a_writer_in_another_process(tmp_path: Path) -> None:
    process = begin(tmp_path, 0)
    assert process.stdout is not None
    process.stdout.readline()
    with pytest.raises(SpoolTaken, match=f"process {process.pid}"):
        SpoolWriter(tmp_path, limit_bytes=2**20)
    reader, after, seen = SpoolReader(tmp_path), START, 0
    while seen < 300:
        read, after = numbers(reader, after)
        assert read == list(range(seen, seen + len(read)))
        seen += len(read)
        reader.advance(after)
    kill_after(process, 1)
    SpoolWriter(tmp_path, limit_bytes=2**20).close()
    assert os.listdir(tmp_path)
