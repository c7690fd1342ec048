"""What is special to how a ledger is opened."""

import os
import stat
from dataclasses import dataclass
from pathlib import Path

import pytest

from seakeeping.errors import BadSetting
from seakeeping.store.ledger import open_at, open_ledger
from seakeeping.store.ledger.ledger import LedgerUnavailable


@dataclass(frozen=True)
class Place:
    data: Path
    ledger: str | None = None


def test_without_a_url_it_is_sqlite_in_the_data_folder(tmp_path: Path) -> None:
    open_ledger(Place(tmp_path / "data")).close()
    assert (tmp_path / "data" / "ledger.db").exists()


def test_the_file_is_for_its_owner_only(tmp_path: Path) -> None:
    open_ledger(Place(tmp_path)).close()
    mode = stat.S_IMODE(os.stat(tmp_path / "ledger.db").st_mode)
    assert mode == 0o600


@pytest.mark.parametrize("url", ["mysql://u@h/db", "nonsense", "oracle://x"])
def test_other_databases_are_refused_with_a_hint(url: str) -> None:
    with pytest.raises(BadSetting, match="postgresql://"):
        open_at(url)


def test_the_message_about_a_wrong_url_keeps_its_password(tmp_path: Path) -> None:
    with pytest.raises(BadSetting) as caught:
        open_at("mysql://u:s3cret@h/db")
    assert "s3cret" not in str(caught.value)


def test_a_postgres_that_is_not_there_is_unavailable() -> None:
    with pytest.raises(LedgerUnavailable):
        open_at("postgresql://u@127.0.0.1:1/db?connect_timeout=2")


def test_a_file_that_is_no_database_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "ledger.db").write_bytes(b"not a database, but long enough to look at" * 40)
    with pytest.raises(LedgerUnavailable):
        open_ledger(Place(tmp_path))
