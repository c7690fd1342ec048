"""The controller's own loop: no fault ends it, unless nothing else comes of looking for long."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.contract.conftest import FakeClock

from seakeeping.config import Settings
from seakeeping.control.controller import PATIENCE_S, TICK_S, Controller
from seakeeping.control.deciding import Deciding
from seakeeping.metrics import ERRORS
from seakeeping.process import Child
from seakeeping.store.counting import CountingStore
from seakeeping.store.ledger.ledger import LedgerUnavailable


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def controller(
    tmp_path: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Controller]:
    """Return a controller that leads; its store is nowhere, and no step here needs it."""
    monkeypatch.setattr(CountingStore, "migrate", lambda *_: None)
    (tmp_path / "run").mkdir()
    settings = Settings(
        data=tmp_path, config=tmp_path / "none", store_url="http://127.0.0.1:9", run_dir=tmp_path
    )
    made = Controller(settings, Child({}, threading.Event()), clock)
    yield made
    made._open.close()


def fails(monkeypatch: pytest.MonkeyPatch, error: Exception | None) -> None:
    def tick(_: Deciding) -> None:
        if error is not None:
            raise error

    monkeypatch.setattr(Deciding, "tick", tick)


def counted(error: str) -> float:
    value: float = ERRORS.labels("controller", error)._value.get()
    return value


def test_a_fault_is_counted_and_the_next_look_comes(
    controller: Controller, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = counted("ValueError")
    fails(monkeypatch, ValueError("of one objective"))
    assert [controller._step() for _ in range(3)] == [TICK_S] * 3
    assert counted("ValueError") == before + 3
    assert capsys.readouterr().err.count("of one objective") == 1
    fails(monkeypatch, None)
    assert controller._step() <= TICK_S


def test_a_process_that_only_fails_ends_to_begin_anew(
    controller: Controller, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    fails(monkeypatch, ValueError("remembered wrongly"))
    controller._step()
    clock.at += PATIENCE_S - 1
    controller._step()
    clock.at += 1
    with pytest.raises(ValueError, match="remembered wrongly"):
        controller._step()


def test_one_look_that_works_makes_the_patience_whole_again(
    controller: Controller, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    for error in (ValueError("now"), None, ValueError("and then")):
        fails(monkeypatch, error)
        controller._step()
        clock.at += PATIENCE_S - 1
    controller._step()


def test_a_ledger_that_is_away_is_waited_for_however_long(
    controller: Controller, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    fails(monkeypatch, LedgerUnavailable("away"))
    for _ in range(5):
        assert controller._step() >= TICK_S
        clock.at += PATIENCE_S
