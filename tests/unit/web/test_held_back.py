"""Resource files that are broken: the API, the pages and the command say so."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from starlette.types import ASGIApp

from seakeeping.cli.main import main
from seakeeping.config import Finding
from seakeeping.web.api import Api
from seakeeping.web.app import build_app
from seakeeping.web.pages import Pages
from seakeeping.web.room import Room
from seakeeping.web.testing import Client, MemoryStore, make_room, served

BROKEN = Finding("mine.yaml:3: spec.objektives", "is not known", "did you mean objectives?")


@pytest.fixture
def wrong() -> list[Finding]:
    """Return what is wrong with the files, for a test to add to."""
    return []


@pytest.fixture
def room(tmp_path: Path, wrong: list[Finding]) -> Iterator[Room]:
    made = make_room(MemoryStore(), tmp_path)
    yield replace(made.room, findings=lambda: wrong)
    made.close()


@pytest.fixture
def app(room: Room) -> ASGIApp:
    api = Api(room, scopes=lambda request: frozenset({"admin"}))
    return build_app(api.routes(), Pages(room), lambda inner: inner)


@pytest.fixture
def client(app: ASGIApp) -> Client:
    return Client(app)


def answered(client: Client) -> Any:
    return json.loads(client.get("/api/findings").text)


def words(html: str) -> str:
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html)))


def test_the_api_lists_what_is_wrong_with_its_place(client: Client, wrong: list[Finding]) -> None:
    assert answered(client) == {"items": [], "next": None}
    wrong.append(BROKEN)
    (item,) = answered(client)["items"]
    assert item == {
        "place": BROKEN.place, "message": BROKEN.message, "hint": BROKEN.hint, "is_warning": False,
    }  # fmt: skip


@pytest.mark.parametrize("path", ["/", "/objectives"])
def test_pages_say_it_until_it_is_mended(client: Client, wrong: list[Finding], path: str) -> None:
    assert "last good version" not in client.get(path).text
    wrong.append(BROKEN)
    told = words(client.get(path).text)
    assert "the last good version stays" in told
    assert str(BROKEN) in told
    wrong.clear()
    assert "last good version" not in client.get(path).text


def test_the_command_says_it_beside_the_budgets(
    room: Room, app: ASGIApp, wrong: list[Finding], capsys: pytest.CaptureFixture[str]
) -> None:
    wrong.append(BROKEN)
    with served(app, room.hub) as url:
        assert main(["slo", "list", "--endpoint", url, "--json"]) == 0
    told = capsys.readouterr()
    assert json.loads(told.out) == {"items": []}
    assert told.err.strip() == f"seakeeping: resources stay as they were: {BROKEN}"
