from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from seakeeping.config import Settings
from seakeeping.control.exposure import require_keys
from seakeeping.errors import BadSetting
from seakeeping.store import open_ledger


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data=tmp_path)


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
