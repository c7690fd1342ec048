"""The system strip: what the supervisor says, while it says it."""

from pathlib import Path

import orjson
import pytest

from seakeeping.web import status

NOW = 1_764_000_000.0


def write(folder: Path, at: float, **roles: object) -> Path:
    path = folder / "status.json"
    path.write_bytes(orjson.dumps({"at": at, "roles": roles}))
    return path


def test_parts_are_shown_with_their_state_and_restarts(tmp_path: Path) -> None:
    path = write(
        tmp_path, NOW, store={"state": "running", "restarts": 1}, pipeline={"state": "restarting"},
        demo={"state": "stopped"}, odd={},
    )  # fmt: skip
    parts = {part.name: part for part in status.read_parts(path, NOW + 1)}
    assert (parts["store"].word, parts["store"].css, parts["store"].restarts) == (
        "running",
        "ok",
        1,
    )
    assert parts["store"].is_running
    assert (parts["pipeline"].word, parts["pipeline"].css) == ("restarting", "uncertain")
    assert (parts["demo"].css, parts["odd"].word) == ("nodata", "unknown")


def test_a_report_that_is_old_says_nothing_any_more(tmp_path: Path) -> None:
    path = write(tmp_path, NOW, store={"state": "running"})
    (part,) = status.read_parts(path, NOW + status.STALE_S + 1)
    assert (part.word, part.is_running) == ("no report", False)


@pytest.mark.parametrize("body", [None, b"", b"{", b"[]", b'{"roles": 3}'])
def test_no_report_is_no_parts(tmp_path: Path, body: bytes | None) -> None:
    path = tmp_path / "status.json"
    if body is not None:
        path.write_bytes(body)
    assert status.read_parts(path, NOW) == ()


def test_a_folder_is_as_large_as_its_files(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 100)
    (tmp_path / "b").write_bytes(b"x" * 23)
    (tmp_path / "c").mkdir()
    assert status.folder_bytes(tmp_path) == 123
    assert status.folder_bytes(tmp_path / "gone") == 0


def test_a_folder_that_is_not_there_cannot_be_written(tmp_path: Path) -> None:
    assert status.is_writable(tmp_path)
    assert not status.is_writable(tmp_path / "gone")
