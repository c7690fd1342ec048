"""Five seeded moments of murder under load: nothing acknowledged is lost, nothing counts twice.

The scenarios are those of ``bench.crash``, which runs fifty of them.
"""

import random
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from bench import tree
from bench.crash import faults
from bench.ingest import servers
from bench.ingest.ours import Seakeeping

MOMENTS = ("kill pipeline", "kill all", "kill store", "kill supervisor", "kill edge")
PROBE_SEED = 5_000_000


@pytest.fixture
def running(tmp_path: Path) -> Iterator[faults.Running]:
    server = Seakeeping(tmp_path / "node")
    made = faults.Running(server, servers.start(server))
    yield made
    tree.end(made.process)
    shutil.rmtree(server.folder, ignore_errors=True)


@pytest.mark.timeout(300)
def test_murder_at_five_moments_loses_nothing_and_doubles_nothing(
    running: faults.Running,
) -> None:
    chance = random.Random(20261123)
    spans = calls = 0
    for number, name in enumerate(MOMENTS):
        load = faults.Load(running.server.url, seed=number)
        load.start()
        time.sleep(chance.uniform(0.2, 1.5))
        faults.FAULTS[name](running, 0.0)
        running.revive()
        faults.serving_after(running, PROBE_SEED + number)
        sent = load.end()
        spans, calls = spans + sent.spans + 64, calls + sent.model_calls
    books = faults.settled_books(running.server, spans, calls, 120.0)
    assert (books.lost, books.doubled) == (0, 0), books
    assert spans > 300, "the load was real"
