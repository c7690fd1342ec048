"""``seakeeping incident`` lists, shows, proves and drafts from the ledger alone."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from tests.unit.decide.by_hand import NOW, alert
from tests.unit.decide.incidents.made import DIAGNOSIS, change

from seakeeping.cli.main import main
from seakeeping.decide.incidents import machine
from seakeeping.store.ledger import Ledger, open_at
from seakeeping.store.ledger.alerts import Alerts
from seakeeping.store.ledger.changes import Changes
from seakeeping.store.ledger.incidents import Incidents
from seakeeping.web.testing.decided import MemoryDecided
from seakeeping.web.testing.memory import MemoryStore
from seakeeping.web.testing.served import StillClock, make_room, served


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """Return a ledger with one incident that is open and diagnosed and one that is over."""
    ledger = open_at(f"sqlite:///{tmp_path / 'ledger.db'}")
    incidents, one = Incidents(ledger), alert()
    with ledger.transaction() as connection:
        Alerts(ledger).save(connection, [one])
    Changes(ledger).put([change()], by="ci")
    first = incidents.take(machine.opened("inc-1", [one], "chat", NOW))
    second = incidents.take(machine.opened("inc-2", [alert(service="shop")], "shop", NOW + 5))
    assert first is not None
    assert second is not None
    incidents.take(machine.diagnosed(first, DIAGNOSIS, NOW + 3))
    incidents.take(machine.resolved(second, "controller", "all its alerts ended", NOW + 60))
    yield ledger
    ledger.close()


def ask(capsys: pytest.CaptureFixture[str], folder: Path, *words: str) -> tuple[int, str]:
    code = main(["incident", *words, "--data", str(folder)])
    told = capsys.readouterr()
    return code, told.out + told.err


def test_incidents_are_listed_newest_first(
    ledger: Ledger, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out = ask(capsys, tmp_path, "list", "--json")
    assert code == 0
    items = json.loads(out)["items"]
    assert [it["id"] for it in items] == ["inc-2", "inc-1"]
    _, shown = ask(capsys, tmp_path, "list", "--json", "--open")
    assert [it["id"] for it in json.loads(shown)["items"]] == ["inc-1"]
    _, shown = ask(capsys, tmp_path, "list", "--json", "--service", "shop", "--limit", "1")
    assert [it["id"] for it in json.loads(shown)["items"]] == ["inc-2"]
    _, table = ask(capsys, tmp_path, "list")
    assert "inc-1" in table
    assert "diagnosed" in table


def test_one_incident_is_shown_with_its_timeline(
    ledger: Ledger, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out = ask(capsys, tmp_path, "show", "inc-1")
    assert code == 0
    assert "what it was" in out
    assert "opened by controller" in out
    _, as_json = ask(capsys, tmp_path, "show", "inc-1", "--json")
    assert len(json.loads(as_json)["timeline"]) == 2


def test_timelines_that_hold_are_proven(
    ledger: Ledger, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out = ask(capsys, tmp_path, "verify")
    assert code == 0
    assert out.count("2 entries hold, last hash") == 2
    code, out = ask(capsys, tmp_path, "verify", "inc-1", "--json")
    (row,) = json.loads(out)["items"]
    assert (code, row["is_intact"], row["entries"]) == (0, True, 2)


def test_a_timeline_that_was_changed_is_a_finding(
    ledger: Ledger, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with ledger.transaction() as connection:
        connection.execute(
            text("UPDATE incident_events SET actor = 'eve' WHERE incident_id = 'inc-1'")
        )
    code, out = ask(capsys, tmp_path, "verify")
    assert code == 1
    assert "inc-1: NOT intact: entry 1 was changed" in out
    assert "inc-2: 2 entries hold" in out


def test_a_postmortem_is_drafted_with_alerts_and_changes(
    ledger: Ledger, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out = ask(capsys, tmp_path, "postmortem", "inc-1")
    assert code == 0
    assert out.startswith("# Postmortem: ")
    assert "deploy v1 to v2 of chat" in out
    assert "still firing" in out
    _, as_json = ask(capsys, tmp_path, "postmortem", "inc-1", "--json")
    assert json.loads(as_json)["markdown"] == out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["show"], "which incident?"),
        (["show", "nope"], "no incident 'nope'"),
        (["verify", "nope"], "no incident 'nope'"),
        (["postmortem"], "which incident?"),
        (["list", "--limit", "0"], "--limit"),
    ],
)
def test_wrong_use_is_told(
    ledger: Ledger, tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], told: str
) -> None:
    code, out = ask(capsys, tmp_path, *words)
    assert code == 2
    assert told in out


def test_an_empty_ledger_has_nothing_to_verify(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    open_at(f"sqlite:///{tmp_path / 'ledger.db'}").close()
    code, out = ask(capsys, tmp_path, "verify")
    assert (code, out) == (0, "no incidents\n")


@pytest.mark.parametrize(
    "words", [["list"], ["verify"], ["show", "inc-1"], ["postmortem", "inc-1"]]
)
def test_looking_in_the_wrong_folder_is_told_and_makes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    nowhere = tmp_path / "nowhere"
    code, out = ask(capsys, nowhere, *words)
    assert code == 2
    assert f"no ledger in {nowhere}" in out
    assert not nowhere.exists()
    assert main(["incident", *words, "--ledger", f"sqlite:///{nowhere}/l.db"]) == 2
    assert not nowhere.exists()


def test_an_id_may_stand_behind_the_options(
    ledger: Ledger, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["incident", "show", "--data", str(tmp_path), "--json", "inc-1"]) == 0
    assert json.loads(capsys.readouterr().out)["id"] == "inc-1"


def test_a_table_names_every_incident_in_full_where_nobody_looks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    ledger = open_at(f"sqlite:///{tmp_path / 'ledger.db'}")
    name = "inc-" + "a0ba2a" * 6
    Incidents(ledger).take(machine.opened(name, [alert()], "the-service-with-a-long-name", NOW))
    ledger.close()
    _, table = ask(capsys, tmp_path, "list")
    assert name in table
    assert "the-service-with-a-long-name" in table


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    """Return a server that holds one incident."""
    clock = StillClock(NOW)
    decided = MemoryDecided(clock)
    decided.known_incidents["inc-7"] = machine.opened("inc-7", [alert()], "chat", NOW).incident
    room = make_room(MemoryStore(), tmp_path, clock, decided)
    with served(room.app, room.room.hub) as address:
        yield address
    room.close()


def test_incidents_of_a_server_elsewhere_need_no_data_folder(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["incident", "list", "--endpoint", url, "--open", "--service", "chat"]) == 0
    assert "inc-7" in capsys.readouterr().out
    assert main(["incident", "show", "--endpoint", url, "inc-7"]) == 0
    assert "chat, opened 2026-09-21 14:13 UTC" in capsys.readouterr().out
    assert main(["incident", "postmortem", "inc-7", "--endpoint", url]) == 0
    assert capsys.readouterr().out.startswith("# Postmortem: ")
    assert main(["incident", "show", "inc-8", "--endpoint", url]) == 2
    assert "no incident 'inc-8'" in capsys.readouterr().err
