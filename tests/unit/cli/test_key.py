import json
from pathlib import Path

import pytest

from seakeeping.cli.main import main


def test_a_key_is_made_before_the_first_start_listed_and_revoked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "new"
    assert main(["key", "create", "--data", str(data), "--scope", "read", "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert made["scopes"] == ["read"]
    assert main(["key", "list", "--data", str(data)]) == 0
    listed = capsys.readouterr().out
    assert made["id"] in listed
    assert made["secret"] not in listed
    assert main(["key", "revoke", "--data", str(data), made["id"]]) == 0
    assert main(["key", "revoke", made["id"], "--data", str(data)]) == 1


@pytest.mark.parametrize("words", [["list"], ["revoke", "k1"]])
def test_keys_of_a_folder_without_a_ledger_are_not_made_up(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    nowhere = tmp_path / "nowhere"
    assert main(["key", *words, "--data", str(nowhere)]) == 2
    assert f"no ledger in {nowhere}" in capsys.readouterr().err
    assert not nowhere.exists()


def test_a_key_without_a_scope_is_wrong_use(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["key", "create", "--data", str(tmp_path)]) == 2
    assert "a key needs a scope" in capsys.readouterr().err
