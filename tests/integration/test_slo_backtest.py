"""``seakeeping slo backtest`` and the explanation of an alert, on a real store."""

import json
import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

import pytest

from seakeeping.cli.main import main
from seakeeping.decide.alerts.explain import explanation
from seakeeping.decide.stored_history import read_history
from seakeeping.records import Indicator, Interaction, Objective
from seakeeping.store.cells import TimeSpan
from seakeeping.store.counting import CountingStore
from seakeeping.store.testing import make_interaction, running_store

SLO = """\
apiVersion: openslo/v1
kind: SLO
metadata: {name: NAME}
spec:
  service: shop
  indicator:
    spec:
      ratioMetric:
        rawType: success
        raw: {metricSource: {type: seakeeping, spec: {signal: availability}}}
  timeWindow: [{duration: 30d, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{target: 0.99}]
"""
INDICATOR = Indicator("availability", "all calls", "calls that ended without an error")
HOUR_S = 3600.0


def history(end: float) -> Sequence[Interaction]:
    """Return six hours of twenty calls a minute; of one model half fail for twenty minutes."""
    calls = []
    for number in range(6 * 60 * 20):
        at = end - 6 * HOUR_S + number * 3
        is_hurt = 3 * HOUR_S <= at - (end - 6 * HOUR_S) < 3 * HOUR_S + 1200
        model = "small" if number % 2 else "large"
        error = "timeout" if is_hurt and model == "small" else None
        calls.append(
            make_interaction(number + 1, started_at=at, response_model=model, error_type=error)
        )
    return calls


@pytest.fixture(scope="module")
def end() -> float:
    return float(int(time.time()) // 300 * 300)


@pytest.fixture(scope="module")
def store(end: float, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CountingStore]:
    with running_store(tmp_path_factory.mktemp("data") / "store") as store:
        store.insert_interactions(history(end), "history")
        store.refresh_rollups({("shop", end - 6 * HOUR_S + n * 300) for n in range(72)})
        yield store


@pytest.fixture
def slo(tmp_path: Path) -> Path:
    path = tmp_path / "slo.yaml"
    path.write_text(SLO.replace("NAME", "availability"))
    return path


def backtest(
    slo: Path, tmp_path: Path, store: CountingStore, monkeypatch: pytest.MonkeyPatch, *more: str
) -> int:
    """Run the command on a store that is reached by its address, as a ClickHouse server is."""
    monkeypatch.setattr("seakeeping.cli.slo_backtest.connect_counting", lambda *_, **__: store)
    address = ("--store", "clickhouse://127.0.0.1:9/x", "--data", str(tmp_path / "data"))
    return main(["slo", "backtest", str(slo), "--since", "12h", *address, *more])


def test_a_backtest_tells_when_each_alert_would_have_fired(
    slo: Path,
    tmp_path: Path,
    store: CountingStore,
    end: float,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert backtest(slo, tmp_path, store, monkeypatch, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    (item,) = told["items"]
    assert (item["objective"], item["events"], told["step_s"]) == ("availability", 7200, 60)
    pages = [alert for alert in item["alerts"] if alert["severity"] == "page"]
    assert len(pages) == 1
    began = end - 3 * HOUR_S
    (page,) = pages
    assert page["labels"]["alertname"] == "ErrorBudgetBurn"
    fired_at = _seconds(page["starts_at"])
    assert began + 600 <= fired_at <= began + 1200
    assert fired_at < _seconds(page["ends_at"]) < began + 2 * HOUR_S


def _seconds(iso: str) -> float:
    return datetime.fromisoformat(iso).timestamp()


def test_a_backtest_reads_as_a_list_of_times(
    slo: Path,
    tmp_path: Path,
    store: CountingStore,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert backtest(slo, tmp_path, store, monkeypatch) == 0
    first, second, *rest = capsys.readouterr().out.splitlines()
    assert first.endswith("UTC, in steps of 1 min")
    assert second.startswith("availability (99 % over 30d): 7,200 events, ")
    assert any("page    ErrorBudgetBurn  for " in line for line in rest)


def test_a_service_that_was_not_seen_is_told_apart(
    slo: Path,
    tmp_path: Path,
    store: CountingStore,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert backtest(slo, tmp_path, store, monkeypatch, "--service", "other") == 0
    assert "no service was seen that they could hold" in capsys.readouterr().out


def test_a_file_that_does_not_hold_is_refused_before_anything_is_read(
    slo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    slo.write_text(SLO.replace("0.99", "1.5"))
    assert main(["slo", "backtest", str(slo)]) == 2
    assert "slo.yaml:13" in capsys.readouterr().err
    assert main(["slo", "backtest"]) == 2
    slo.write_text("{}")
    assert main(["slo", "backtest", str(slo), "--since", "soon"]) == 2


def test_what_retention_dropped_is_told_by_kept_cells(store: CountingStore, end: float) -> None:
    objective = Objective("a", "shop", INDICATOR, 0.99)
    start = end - 6 * HOUR_S
    cells = store.count_cells([INDICATOR], TimeSpan(start, end))
    store.keep_cells([INDICATOR.key], cells)

    class Shortened:
        """The store after retention dropped the rows of the first half."""

        count_cells, kept_cells = store.count_cells, store.kept_cells

        def rows_since(self) -> float:
            return end - 3 * HOUR_S

    whole = read_history(store, [objective, objective], start, end, 300)
    cut = read_history(Shortened(), [objective, objective], start, end, 60)
    assert cut.step_s == 300
    for before, after in zip(whole.series, cut.series, strict=True):
        assert after.counts.tolist() == before.counts.tolist()
        assert after.counts[:, 0].sum() == 7200


def test_an_alert_names_the_model_that_fails_and_answers_that_show_it(
    store: CountingStore, end: float
) -> None:
    began = end - 3 * HOUR_S
    told = explanation(store, Objective("a", "shop", INDICATOR, 0.99), began, began + 1200)
    assert told["worst_slices"].startswith("model=small: 100 % bad, 100 % of all that is bad")
    assert told["examples"].count("(timeout, small") == 5
