"""The control room in a real browser: it runs, it is live, and nothing hostile moves in it.

Set ``SEAKEEPING_TEST_SCREENSHOTS`` to a folder to keep a picture of every page.
"""

import os
import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from seakeeping.clock import SystemClock
from seakeeping.web.testing import (
    MemoryDecided,
    MemoryStore,
    TestRoom,
    fill,
    fill_decided,
    fill_outbox,
    make_room,
    served,
)
from seakeeping.web.testing.decided_sample import INCIDENT

pytestmark = pytest.mark.needs_chromium

SHOWPIECE = f"/interactions/{'5a11':0>32}/{'5a11':0>16}"
HOSTILE = f"/interactions/{'bad1':0>32}/{'bad1':0>16}"
PAGES = {
    "wall": "/",
    "interactions": "/interactions",
    "interaction": SHOWPIECE,
    "hostile": HOSTILE,
    "service": "/services/cargo-search?window=24h",
    "objectives": "/objectives",
    "objective": "/objectives/cargo-search/availability",
    "estimate": "/objectives/cargo-search/faithfulness",
    "incidents": "/incidents",
    "incident": f"/incidents/{INCIDENT}",
    "hostile-incident": "/incidents/bad1",
    "alerts": "/alerts",
    "deliveries": "/deliveries",
    "review": f"/review?trace_id={'5a11':0>32}&span_id={'5a11':0>16}",
    "missing": "/nothing",
}
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--no-first-run")  # fmt: skip
WATCH = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (e) => window.violations.push(
  `${e.violatedDirective} ${e.blockedURI} ${e.sourceFile}:${e.lineNumber}`));
window.alert = () => window.violations.push("alert was called");
"""


class Watched:
    """A page of the browser whose every complaint is kept."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.complaints: list[str] = []
        page.add_init_script(WATCH)
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def open(self, path: str) -> Page:
        """Go to a path and wait until it is live."""
        self.page.goto(self.url + path)
        expect(self.page.locator("[data-live]")).to_have_attribute("data-live", "on")
        return self.page

    def faults(self) -> list[str]:
        """Return all complaints and all violations of the content policy."""
        return [*self.complaints, *self.page.evaluate("window.violations")]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=os.environ.get("SEAKEEPING_TEST_CHROMIUM", "/usr/bin/chromium"),
            args=list(FLAGS),
        )
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestRoom]:
    folder = tmp_path_factory.mktemp("room")
    (folder / "run").mkdir()
    (folder / "spool").mkdir()
    roles = {
        "store": {"state": "running", "restarts": 0},
        "edge": {"state": "running", "restarts": 0},
        "pipeline": {"state": "restarting", "restarts": 2},
    }
    report = {"at": time.time() + 600, "roles": roles}
    (folder / "run" / "status.json").write_bytes(orjson.dumps(report))
    clock, now = SystemClock(), time.time()
    made = make_room(
        fill(MemoryStore(), now), folder, clock, fill_decided(MemoryDecided(clock), now)
    )
    fill_outbox(made.outbox, now)
    yield made
    made.close()


@pytest.fixture(scope="module")
def address(room: TestRoom) -> Iterator[str]:
    with served(room.app, room.room.hub) as url:
        yield url


@pytest.fixture
def watched(browser: Browser, address: str, request: pytest.FixtureRequest) -> Iterator[Watched]:
    options: dict[str, Any] = getattr(request, "param", {})
    context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
    context.set_default_timeout(20_000)
    expect.set_options(timeout=20_000)
    yield Watched(context.new_page(), address)
    context.close()


LOOKS = [
    pytest.param({"color_scheme": scheme, "viewport": {"width": width, "height": 900}},
                 id=f"{scheme}-{width}")
    for scheme, width in (("dark", 1280), ("light", 1280), ("dark", 390), ("light", 390))
]  # fmt: skip


@pytest.mark.parametrize("watched", LOOKS, indirect=True)
def test_every_page_runs_without_a_complaint_and_fits_its_window(
    watched: Watched, request: pytest.FixtureRequest
) -> None:
    for name, path in PAGES.items():
        page = watched.open(path)
        width = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert width <= 0, f"{name} is {width} px wider than its window"
        _keep(page, f"{name}-{request.node.callspec.id}")
    # the answer 404 of the page that is missing is the one complaint allowed
    assert [fault for fault in watched.faults() if "404" not in fault] == []


def _keep(page: Page, name: str) -> None:
    folder = os.environ.get("SEAKEEPING_TEST_SCREENSHOTS")
    if folder:
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


CONTRAST = """
() => {
  const parse = (c) => c.match(/[\\d.]+/g).map(Number);
  const lum = ([r, g, b]) => [r, g, b].map((v) => v / 255)
    .map((v) => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (e) => {
    for (; e; e = e.parentElement) {
      const c = parse(getComputedStyle(e).backgroundColor);
      if (c.length === 3 || c[3] === 1) return c;
    }
    return [255, 255, 255];
  };
  const poor = [];
  for (const e of document.querySelectorAll("body *")) {
    const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    if (!own || !e.getClientRects().length || e.closest(".visually-hidden, .skip")) continue;
    const [a, b] = [lum(parse(getComputedStyle(e).color)), lum(ground(e))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    const text = e.textContent.trim().slice(0, 30);
    if (ratio < 4.5) poor.push(`${e.className || e.tagName} "${text}" ${ratio.toFixed(2)}`);
  }
  return [...new Set(poor)];
}
"""


@pytest.mark.parametrize("watched", LOOKS[:2], indirect=True)
def test_all_text_has_enough_contrast_in_both_themes(watched: Watched) -> None:
    for path in PAGES.values():
        assert watched.open(path).evaluate(CONTRAST) == []


NAMELESS = """
() => [...document.querySelectorAll("a, button, input, select, summary, mark, [role=img]")]
  .filter((e) => e.getClientRects().length)
  .filter((e) => !(e.getAttribute("aria-label") || e.textContent.trim() || e.labels?.length))
  .map((e) => e.outerHTML.slice(0, 80))
"""


def test_everything_that_can_be_used_has_a_name(watched: Watched) -> None:
    for path in PAGES.values():
        assert watched.open(path).evaluate(NAMELESS) == []


def test_charts_and_sparklines_are_drawn(watched: Watched) -> None:
    page = watched.open("/")
    assert page.locator("[data-spark] canvas").count() >= 20
    page = watched.open("/services/cargo-search?window=24h")
    assert page.locator("[data-chart] canvas").count() == 6


def test_hostile_text_does_nothing(watched: Watched) -> None:
    for path in ("/", "/interactions", HOSTILE):
        page = watched.open(path)
        assert page.locator("main script, main img").count() == 0
    assert watched.faults() == []


def test_offsets_mark_the_right_words_beyond_emoji_and_right_to_left(watched: Watched) -> None:
    page = watched.open(HOSTILE)
    assert page.locator("mark.unsupported").inner_text() == "The ferry sails at noon."
    assert page.locator("mark.passage").inner_text() == "The ferry sails at noon."


def test_a_finding_leads_to_its_evidence_by_mouse_and_by_key(watched: Watched) -> None:
    page = watched.open(SHOWPIECE)
    claim = page.locator("mark.unsupported").first
    passage = page.locator("mark.passage[data-finding='1']")
    claim.hover()
    expect(passage).to_have_class("passage on")
    page.mouse.move(0, 0)
    expect(passage).to_have_class("passage")
    claim.focus()
    page.keyboard.press("Enter")
    expect(passage).to_have_class("passage on")
    expect(passage).to_be_in_viewport()
    assert watched.faults() == []


def test_the_page_can_be_walked_by_key_alone(watched: Watched) -> None:
    page = watched.open("/")
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    assert page.url.endswith("#main")
    for _ in range(12):  # the page renews itself meanwhile, and the focus stays where it is
        page.keyboard.press("Tab")
        page.wait_for_timeout(100)
        focused = page.evaluate("document.activeElement.tagName")
        assert focused in ("A", "BUTTON")


def test_the_theme_is_kept(watched: Watched) -> None:
    page = watched.open("/")
    before = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.get_by_role("button", name="theme").click()
    after = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert before != after
    page = watched.open("/interactions")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == after


def test_the_wall_shows_a_new_call_without_a_reload(watched: Watched, room: TestRoom) -> None:
    page = watched.open("/")
    page.evaluate("window.marked = true")
    assert page.get_by_text("night-watch").count() == 0
    fresh = replace(room.store.calls[-1], service_name="night-watch", started_at=time.time())
    room.store.add([fresh])
    expect(page.get_by_text("night-watch")).to_be_visible()
    assert page.evaluate("window.marked") is True
    assert page.locator("[data-spark] canvas").count() >= 20
    assert watched.faults() == []


def test_a_filter_finds_the_flagged_calls_of_a_service(watched: Watched) -> None:
    page = watched.open("/interactions")
    page.get_by_label("Service").fill("cargo-search")
    page.get_by_label("Verdict").select_option("unsupported")
    page.get_by_role("button", name="Filter").click()
    expect(page.locator("#rows tbody tr").first).to_contain_text("unsupported")
    services = set(page.locator("#rows tbody td:nth-child(2)").all_inner_texts())
    assert services == {"cargo-search"}


def test_a_click_on_a_chart_opens_the_calls_behind_it(watched: Watched) -> None:
    page = watched.open("/services/cargo-search?window=24h")
    page.locator("[data-chart] .u-over").first.click(position={"x": 120, "y": 40})
    page.wait_for_url("**/interactions?service=cargo-search&since=*")
    assert page.get_by_label("Until").input_value() != ""


def test_a_page_survives_the_servers_restart(browser: Browser, tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    store = fill(MemoryStore(), time.time())
    first = make_room(store, tmp_path)
    context = browser.new_context()
    with served(first.app, first.room.hub, port) as url:
        page = Watched(context.new_page(), url).open("/")
    first.close()
    sign = page.locator("[data-live]")
    expect(sign).to_have_attribute("data-live", "off", timeout=30_000)
    second = make_room(store, tmp_path)
    with served(second.app, second.room.hub, port):
        expect(sign).to_have_attribute("data-live", "on", timeout=60_000)
        store.add([replace(store.calls[-1], service_name="night-watch", started_at=time.time())])
        expect(page.get_by_text("night-watch")).to_be_visible(timeout=30_000)
    context.close()
    second.close()


def test_an_absent_store_is_a_banner_that_goes_away_by_itself(
    browser: Browser, tmp_path: Path
) -> None:
    clock, now = SystemClock(), time.time()
    store = fill(MemoryStore(), now)
    made = make_room(store, tmp_path, clock, fill_decided(MemoryDecided(clock), now))
    context = browser.new_context()
    with served(made.app, made.room.hub) as url:
        page = Watched(context.new_page(), url).open("/")
        store.is_away = True
        expect(page.get_by_role("alert")).to_contain_text("does not answer", timeout=30_000)
        store.is_away = False
        expect(page.get_by_role("alert")).to_have_count(0, timeout=30_000)
        expect(page.get_by_role("link", name="cargo-search", exact=True)).to_be_visible()
        context.close()
    made.close()
