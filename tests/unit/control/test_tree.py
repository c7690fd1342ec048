"""What each child of a node is handed, and that the demo needs no key in the ledger."""

from pathlib import Path

import pytest

from seakeeping.config import Settings
from seakeeping.control.supervisor import Role
from seakeeping.control.tree import claim, roles
from seakeeping.errors import SeakeepingError


def parts(folder: Path, *, demo: bool) -> dict[str, Role]:
    node = claim(Settings(data=folder, port=0, grpc_port=0, demo=demo))
    try:
        return {role.name: role for role in roles(node, edge_module="edge")}
    finally:
        node.lock.close()


def test_the_demo_and_the_edge_share_a_key_of_this_run(tmp_path: Path) -> None:
    first, again = (parts(tmp_path / name, demo=True) for name in "ab")
    key = first["demo"].settings["key"]
    assert isinstance(key, str)
    assert len(key) >= 32
    assert first["edge"].settings["demo_key"] == key
    assert again["demo"].settings["key"] != key
    assert not (tmp_path / "a" / "ledger.db").exists()


def test_without_a_demo_there_is_no_such_key(tmp_path: Path) -> None:
    found = parts(tmp_path, demo=False)
    assert "demo" not in found
    assert found["edge"].settings["demo_key"] is None


def test_a_folder_has_one_owner(tmp_path: Path) -> None:
    node = claim(Settings(data=tmp_path, port=0, grpc_port=0))
    with pytest.raises(SeakeepingError, match="another Seakeeping runs"):
        claim(Settings(data=tmp_path, port=0, grpc_port=0))
    node.lock.close()
