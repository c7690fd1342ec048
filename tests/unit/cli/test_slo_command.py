import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from tests.unit.decide.by_hand import AVAILABILITY, FAITHFULNESS, NOW

from seakeeping.cli.main import main
from seakeeping.records import Budget, BudgetState, EstimateMethod, Objective, Reading
from seakeeping.web.testing.decided import MemoryDecided
from seakeeping.web.testing.memory import MemoryStore
from seakeeping.web.testing.served import StillClock, make_room, served

SLO = """\
apiVersion: openslo/v1
kind: SLO
metadata: {name: availability}
spec:
  service: shop
  indicator: {spec: {ratioMetric: {rawType: success, raw: {metricSource:
    {type: seakeeping, spec: {signal: availability}}}}}}
  timeWindow: [{duration: 30d, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{target: 0.99}]
"""


def budget(name: str, remaining_ratio: float | None, **more: object) -> Reading:
    of = Objective(name, "chat", AVAILABILITY, 0.99)
    known: dict[str, object] = {
        "estimate": 0.995, "low": 0.99, "high": 0.999, "state": BudgetState.OK,
        "burn_rates": {"5m": 0.5, "1h": None}, "time_to_exhaustion_s": 86_400.0,
    }  # fmt: skip
    if remaining_ratio is None:
        known |= {"estimate": None, "low": None, "high": None, "state": BudgetState.NO_DATA}
    return Reading(
        Budget(
            objective=of, at=NOW, valid_total=1000.0, bad_total=5.0,
            remaining_ratio=remaining_ratio, **(known | more),  # type: ignore[arg-type]  # by name
        ),
        {},
    )  # fmt: skip


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    clock = StillClock(NOW)
    decided = MemoryDecided(clock)
    decided.measured += [
        budget("half", 0.5),
        budget("space-classics/faithfulness-of-answers", 0.9),
        budget("none", None, time_to_exhaustion_s=None),
        Reading(
            Budget(
                objective=Objective("spent", "docs", FAITHFULNESS, 0.9), at=NOW,
                valid_total=10.0, bad_total=3.0, estimate=0.7, low=0.5, high=0.8,
                remaining_ratio=-0.2, state=BudgetState.BREACH, note="Cold start.",
                method=EstimateMethod.COLD_START,
            ),
            {},
        ),
    ]  # fmt: skip
    room = make_room(MemoryStore(), tmp_path, clock, decided)
    with served(room.app, room.room.hub) as address:
        yield address
    room.close()


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().out.splitlines()


def test_a_list_begins_with_the_budget_that_has_least_left(
    url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    assert main(["slo", "list", "--endpoint", url]) == 0
    told = "\n".join(lines(capsys))
    assert told.index("spent") < told.index("half") < told.index("NO_DATA")
    assert "50 %" in told
    assert "1 d" in told


def test_a_list_can_be_of_one_service_and_in_json(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["slo", "list", "--endpoint", url, "--service", "docs", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [item["objective"]["name"] for item in told["items"]] == ["spent"]


def test_one_objective_is_described_with_its_interval_and_method(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["slo", "show", "half", "--endpoint", url]) == 0
    told = lines(capsys)
    assert told[0] == "half: OK"
    assert "  good         99.5 % (99 % to 99.9 %), counted" in told
    assert "  budget left  50 %, lasts 1 d" in told
    assert "  burn rates   5m 0.5, 1h -" in told


def test_showing_a_breach_is_a_finding(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["slo", "show", "spent", "none", "--endpoint", url]) == 1
    told = lines(capsys)
    assert "  note         Cold start." in told
    assert "  budget left  -20 %, lasts spent" in told
    assert "  good         - (- to -), counted" in told
    assert main(["slo", "show", "half", "--endpoint", url, "--json"]) == 0


def test_a_name_may_stand_behind_the_options(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["slo", "show", "--endpoint", url, "--service", "chat", "half"]) == 0
    assert lines(capsys)[0] == "half: OK"


def test_an_action_offers_no_option_of_another(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["slo", "list", "--help"])
    assert ended.value.code == 0
    told = capsys.readouterr().out
    assert "--endpoint" in told
    assert "--since" not in told


def test_no_name_is_cut_where_the_terminal_is_narrow(
    url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "30")
    assert main(["slo", "list", "--endpoint", url]) == 0
    told = capsys.readouterr().out
    assert all(name in told for name in ("space-classics/faithfulness-of-answers", "half"))
    assert "…" not in told


def test_a_backtest_on_a_folder_without_a_store_makes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, nowhere = tmp_path / "slo.yaml", tmp_path / "nowhere"
    path.write_text(SLO)
    assert main(["slo", "backtest", str(path), "--data", str(nowhere)]) == 2
    assert f"nothing is stored in {nowhere}" in capsys.readouterr().err
    assert not nowhere.exists()


@pytest.mark.parametrize("names", [["hal"], []])
def test_an_objective_that_is_not_there_is_wrong_use(
    url: str, capsys: pytest.CaptureFixture[str], names: list[str]
) -> None:
    assert main(["slo", "show", *names, "--endpoint", url]) == 2
    assert (
        "known: half, none, space-classics/faithfulness-of-answers, spent"
        in capsys.readouterr().err
    )


def test_files_can_be_had_as_prometheus_rules(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "slo.yaml"
    path.write_text(SLO)
    assert main(["slo", "rules", str(path)]) == 0
    told = yaml.safe_load(capsys.readouterr().out)
    records = [rule.get("record") for group in told["groups"] for rule in group["rules"]]
    assert "slo:sli_error:ratio_rate5m" in records
    assert main(["slo", "rules", str(path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == told
