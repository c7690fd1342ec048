"""Files for the browser: ours, complete, and under a name that changes with them."""

import re
from importlib.resources import files

import pytest

from seakeeping.errors import NotFound
from seakeeping.web.assets import Assets

ASSETS = Assets()


def test_an_address_carries_the_digest_of_all_files() -> None:
    assert ASSETS.url("app.css") == f"/static/app.css?v={ASSETS.version}"
    assert re.fullmatch("[0-9a-f]{12}", ASSETS.version)
    assert Assets().version == ASSETS.version


def test_a_file_that_is_not_there_has_no_address() -> None:
    with pytest.raises(NotFound, match=r"no asset 'app\.scss'"):
        ASSETS.url("app.scss")


def source(name: str) -> str:
    return (files("seakeeping.web") / "static" / name).read_text(encoding="utf-8")


def test_script_and_style_of_ours_load_nothing_from_elsewhere() -> None:
    for name in ("app.js", "app.css", "tokens.css", "icons.svg"):
        addresses = re.findall(r"https?://[^\s\"')]+", source(name))
        assert [a for a in addresses if not a.startswith("http://www.w3.org/")] == []
        assert "@import" not in source(name)


def test_script_of_ours_writes_no_markup() -> None:
    for danger in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
        assert danger not in source("app.js")


def test_both_themes_define_the_same_tokens() -> None:
    text = source("tokens.css")
    blocks = [set(re.findall(r"(--[\w-]+):", block)) for block in text.split("{")[1:]]
    media, forced = (b for b in blocks if b and "--font" not in b)
    assert media == forced
    light = next(b for b in blocks if "--font" in b)
    assert media <= light
