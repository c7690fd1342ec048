"""One file out of a working store and ledger, and back into empty ones."""

import json
import stat
import tarfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from seakeeping.errors import BadInput, StoreTooNew
from seakeeping.records import Label, LabelKind, Measurement, MetricPoint
from seakeeping.store.backup import backup, restore
from seakeeping.store.cells import cells_of
from seakeeping.store.counting import CountingStore
from seakeeping.store.labels import LabelFilter
from seakeeping.store.ledger import Ledger, open_at
from seakeeping.store.measurements import MeasurementFilter
from seakeeping.store.telemetry import EvaluationFilter, InteractionFilter, Store
from seakeeping.store.testing import (
    NOON,
    make_empty,
    make_evaluation,
    make_interaction,
    make_span,
    running_store,
)

_CALLS = [make_interaction(n, started_at=NOON - (n % 3) * 86_400.0) for n in range(30)]
_LABEL = Label(*_CALLS[0].key, "faithfulness", 0.0, LabelKind.HUMAN, "ann", NOON, 0.5, "wrong")
_MEASUREMENT = Measurement("shop", "drift", NOON, 3600.0, 0.2, slice={"tenant": "a"})
_CELLS = cells_of(["shop"], [0], [0], [int(NOON)], [[9, 1, 9, 1, 0.5, 0.25]])
_POINT = MetricPoint("m", "1", "gauge", NOON, "shop", {}, {}, 1.0)


@pytest.fixture(scope="module")
def filled() -> Iterator[CountingStore]:
    with running_store() as store:
        store.insert_spans([make_span(n) for n in range(30)], "t")
        store.insert_interactions(_CALLS, "t1")
        store.insert_interactions([make_interaction(0, version=2, release="new")], "t2")
        store.insert_evaluations([(make_evaluation(c), c) for c in _CALLS], "t")
        store.insert_metric_points([_POINT], "t")
        store.refresh_rollups((c.service_name, c.started_at) for c in _CALLS)
        store.insert_labels([_LABEL, replace(_LABEL, at=NOON + 9, comment="newer")], "t")
        store.insert_measurements([_MEASUREMENT], "t")
        store.keep_cells(["k"], _CELLS)
        yield store


@pytest.fixture(scope="module")
def shared_empty() -> Iterator[CountingStore]:
    with running_store() as store:
        yield store


@pytest.fixture
def empty(shared_empty: CountingStore) -> Iterator[CountingStore]:
    yield shared_empty
    make_empty(shared_empty)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = open_at(f"sqlite:///{tmp_path / 'ledger.db'}")
    ledger.create_key("ci", {"read"}, by="ann")
    yield ledger
    ledger.close()


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Ledger]:
    ledger = open_at(f"sqlite:///{tmp_path / 'fresh.db'}")
    yield ledger
    ledger.close()


def test_everything_comes_back(
    filled: Store, empty: CountingStore, ledger: Ledger, fresh: Ledger, tmp_path: Path
) -> None:
    path = tmp_path / "all.backup"
    rows = backup(filled, ledger, path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert restore(path, empty, fresh) == rows
    everything = InteractionFilter()
    assert empty.interactions(everything, limit=99) == filled.interactions(everything, limit=99)
    verdicts = EvaluationFilter()
    assert empty.evaluations(verdicts, limit=99) == filled.evaluations(verdicts, limit=99)
    assert empty.services(NOON + 60, 7 * 86_400) == filled.services(NOON + 60, 7 * 86_400)
    assert empty.trace(make_span(3).trace_id) == [make_span(3)]
    assert empty.metric_points("shop", "m", NOON, NOON + 1) == [_POINT]
    assert empty.labels(LabelFilter()).items == [replace(_LABEL, at=NOON + 9, comment="newer")]
    assert empty.measurements(MeasurementFilter()).items == [_MEASUREMENT]
    assert empty.kept_cells(["k"], NOON).counts.tolist() == _CELLS.counts.tolist()
    assert fresh.key_scopes() == ledger.key_scopes()
    assert fresh.dump() == ledger.dump()


def test_a_store_or_ledger_with_something_in_it_is_not_overwritten(
    filled: Store, empty: Store, ledger: Ledger, fresh: Ledger, tmp_path: Path
) -> None:
    path = tmp_path / "all.backup"
    backup(filled, ledger, path)
    with pytest.raises(BadInput, match="store is not empty"):
        restore(path, filled, fresh)
    with pytest.raises(BadInput, match="ledger is not empty"):
        restore(path, empty, ledger)
    assert empty.interactions(InteractionFilter()).items == []


def test_a_restore_that_broke_off_can_be_run_again(
    filled: Store, empty: Store, ledger: Ledger, fresh: Ledger, tmp_path: Path
) -> None:
    path = tmp_path / "all.backup"
    backup(filled, ledger, path)
    broken = ledger.dump()
    fresh.load({"keys": broken["keys"]})
    with pytest.raises(BadInput):
        restore(path, empty, fresh)
    other = open_at(f"sqlite:///{tmp_path / 'other.db'}")
    restore(path, empty, other)
    other.close()
    again = open_at(f"sqlite:///{tmp_path / 'again.db'}")
    restore(path, empty, again)  # the same file into what it began: nothing is doubled
    again.close()
    points = empty.client.read("SELECT count() FROM metric_points")
    assert points == [[1]]


@pytest.mark.parametrize("cut", [0, 100, 5000, -2000])
def test_a_file_that_is_cut_off_is_refused(
    filled: Store, empty: Store, ledger: Ledger, fresh: Ledger, tmp_path: Path, cut: int
) -> None:
    path = tmp_path / "all.backup"
    backup(filled, ledger, path)
    whole = path.read_bytes()
    manifest_at = whole.rfind(b"manifest.json")
    path.write_bytes(whole[: min(cut if cut >= 0 else len(whole) + cut, manifest_at)])
    with pytest.raises(BadInput, match="not a whole backup"):
        restore(path, empty, fresh)
    assert empty.interactions(InteractionFilter()).items == []


def test_a_backup_of_a_newer_version_is_refused(
    empty: Store, fresh: Ledger, tmp_path: Path
) -> None:
    path = tmp_path / "new.backup"
    manifest = tmp_path / "manifest.json"
    manifest.write_text(json.dumps({"format": 1, "schema": 99, "made_at": 0, "pieces": []}))
    with tarfile.open(path, "w") as tar:
        tar.add(manifest, "manifest.json")
    with pytest.raises(StoreTooNew, match="schema 99"):
        restore(path, empty, fresh)


def test_no_half_file_stands_under_the_name(filled: Store, ledger: Ledger, tmp_path: Path) -> None:
    ledger.close()
    path = tmp_path / "missing" / "all.backup"
    with pytest.raises(OSError, match="No such file"):
        backup(filled, ledger, path)
    assert not path.exists()
