from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from seakeeping.config import Settings
from seakeeping.control.exposure import demo_key, require_keys
from seakeeping.errors import BadSetting
from seakeeping.store import open_ledger


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data=tmp_path)


def keys(settings: Settings) -> list[tuple[str, bool]]:
    with closing(open_ledger(settings)) as ledger:
        return [(key.name, key.revoked_at is None) for key in ledger.list_keys()]


def make_key(settings: Settings) -> None:
    with closing(open_ledger(settings)) as ledger:
        ledger.migrate()
        ledger.create_key("app", ["receive"], by="test")


def test_an_open_address_needs_a_key(settings: Settings) -> None:
    away = replace(settings, host="0.0.0.0")
    with pytest.raises(BadSetting, match="no key"):
        require_keys(away)
    make_key(settings)
    require_keys(away)


def test_a_loopback_address_needs_none_and_makes_no_ledger(settings: Settings) -> None:
    require_keys(settings)
    assert list(settings.data.iterdir()) == []


def test_the_demo_of_a_node_without_keys_needs_none(settings: Settings) -> None:
    assert demo_key(settings) is None
    assert keys(settings) == []


def test_the_demo_of_a_node_with_keys_gets_one_for_its_run(settings: Settings) -> None:
    make_key(settings)
    first, second = demo_key(settings), demo_key(settings)
    assert first
    assert second
    assert first != second
    assert keys(settings) == [("app", True), ("demo of a run", False), ("demo of a run", True)]
