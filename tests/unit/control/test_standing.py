from collections.abc import Iterator
from pathlib import Path

import pytest

from seakeeping.config.resources import Resources, load_resources
from seakeeping.control.standing import InForce
from seakeeping.records import JsonObject, Routing
from seakeeping.store import Ledger
from seakeeping.store.ledger import open_at

SLO: JsonObject = {
    "apiVersion": "openslo/v1",
    "kind": "SLO",
    "metadata": {"name": "checkout-availability"},
    "spec": {
        "service": "checkout",
        "indicator": {
            "metadata": {"name": "checkout-availability"},
            "spec": {
                "ratioMetric": {
                    "counter": True,
                    "rawType": "success",
                    "raw": {"metricSource": {"type": "seakeeping", "spec": {
                        "signal": "availability"}}},
                }
            },
        },
        "timeWindow": [{"duration": "30d", "isRolling": True}],
        "budgetingMethod": "Occurrences",
        "objectives": [{"target": 0.999}],
    },
}  # fmt: skip


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = open_at(f"sqlite:///{tmp_path / 'ledger.db'}")
    ledger.migrate()
    yield ledger
    ledger.close()


def files(folder: Path | None = None) -> Resources:
    resources, findings = load_resources(folder)
    assert findings == []
    return resources


def names(in_force: InForce) -> set[str]:
    return {objective.name for objective in in_force.objectives}


def test_nothing_is_known_before_the_first_look(ledger: Ledger) -> None:
    in_force = InForce(ledger)
    assert not in_force.is_known
    assert in_force.objectives == ()
    assert in_force.targets == ()


def test_the_default_pack_is_in_force_without_a_word(ledger: Ledger) -> None:
    in_force = InForce(ledger)
    assert in_force.refresh(files())
    assert in_force.is_known
    assert {"availability", "latency", "faithfulness"} <= names(in_force)


def test_a_shipped_objective_can_be_switched_off(ledger: Ledger, tmp_path: Path) -> None:
    folder = tmp_path / "d"
    folder.mkdir()
    (folder / "d.yaml").write_text("kind: DefaultObjectives\nversion: 1\ndisabled: [latency]\n")
    in_force = InForce(ledger)
    in_force.refresh(files(folder))
    assert "latency" not in names(in_force)
    assert "availability" in names(in_force)


def test_documents_of_the_api_come_and_go(ledger: Ledger) -> None:
    in_force, resources = InForce(ledger), files()
    in_force.refresh(resources)
    ledger.put_resource("SLO", "checkout-availability", SLO, by="ann", expected=0)
    assert in_force.refresh(resources)
    (found,) = [one for one in in_force.objectives if one.name == "checkout-availability"]
    assert (found.source, found.target_ratio, found.service) == ("api", 0.999, "checkout")
    assert not in_force.refresh(resources)
    ledger.delete_resource("SLO", "checkout-availability", by="ann")
    assert in_force.refresh(resources)
    assert "checkout-availability" not in names(in_force)


def test_a_file_keeps_its_name(ledger: Ledger, tmp_path: Path) -> None:
    import yaml

    folder = tmp_path / "d"
    folder.mkdir()
    (folder / "slo.yaml").write_text(yaml.safe_dump(SLO))
    ledger.put_resource("SLO", "checkout-availability", SLO, by="ann", expected=0)
    in_force = InForce(ledger)
    in_force.refresh(files(folder))
    (found,) = [one for one in in_force.objectives if one.name == "checkout-availability"]
    assert found.source != "api"


def test_a_broken_document_keeps_only_itself_out(ledger: Ledger) -> None:
    ledger.put_resource("SLO", "broken", {"kind": "SLO"}, by="ann", expected=0)
    in_force = InForce(ledger)
    assert in_force.refresh(files())
    assert "availability" in names(in_force)


def test_routing_is_alertmanagers_until_a_file_says_otherwise(
    ledger: Ledger, tmp_path: Path
) -> None:
    in_force = InForce(ledger)
    assert in_force.routing == Routing()
    (tmp_path / "r.yaml").write_text("kind: AlertRouting\nversion: 1\ngroup_wait: 5s\n")
    in_force.refresh(files(tmp_path))
    assert in_force.routing == Routing(group_wait_s=5.0)
