"""Objectives, alerts, incidents and review in a real browser: found, pressed, judged by key."""

import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from seakeeping.clock import SystemClock
from seakeeping.records import AlertState, BudgetState
from seakeeping.store.ledger.label_requests import LabelRequest
from seakeeping.web.testing import (
    MemoryDecided,
    MemoryStore,
    TestRoom,
    fill,
    fill_decided,
    make_room,
    served,
)
from seakeeping.web.testing.decided_sample import INCIDENT

pytestmark = pytest.mark.needs_chromium

FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run")
TRACE, SPAN = f"{'5a11':0>32}", f"{'5a11':0>16}"


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
def calls() -> MemoryStore:
    return fill(MemoryStore(), time.time())


@pytest.fixture
def room(calls: MemoryStore, tmp_path: Path) -> Iterator[TestRoom]:
    clock = SystemClock()
    calls.given.clear()
    made = make_room(calls, tmp_path, clock, fill_decided(MemoryDecided(clock), time.time()))
    drawn = LabelRequest(
        TRACE, SPAN, "faithfulness", "harbour-assistant", time.time(), 0.49, 0.31, 0.5
    )
    made.requests.add_epochs("harbour-assistant", "faithfulness", {0.0: (10, [drawn])})
    yield made
    made.close()


@pytest.fixture
def page(browser: Browser, room: TestRoom) -> Iterator[Page]:
    with served(room.app, room.room.hub) as url:
        context = browser.new_context(base_url=url, viewport={"width": 1280, "height": 900})
        context.set_default_timeout(20_000)
        expect.set_options(timeout=20_000)
        made = context.new_page()
        faults: list[str] = []
        made.on("pageerror", lambda error: faults.append(str(error)))
        made.on("console", lambda m: faults.append(m.text) if m.type == "error" else None)
        yield made
        context.close()
        assert faults == []


def opened(page: Page, path: str) -> Page:
    page.goto(path)
    expect(page.locator("[data-live]")).to_have_attribute("data-live", "on")
    return page


def test_an_objective_is_searched_narrowed_and_opened(page: Page) -> None:
    opened(page, "/objectives")
    page.get_by_label("Search objectives").fill("cargo")
    page.keyboard.press("Enter")
    rows = page.locator("#objectives tbody tr")
    expect(rows).to_have_count(5)
    page.get_by_role("group", name="States").get_by_text("BREACH").click()
    expect(rows).to_have_count(2)
    page.get_by_role("link", name="availability", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("cargo-search/availability")
    assert page.locator("[data-chart] canvas").count() == 3


def test_a_sort_stays_while_the_list_is_narrowed(page: Page) -> None:
    opened(page, "/objectives")
    page.get_by_role("link", name="Burn 1h").click()
    page.get_by_role("group", name="States").get_by_text("OK").click()
    assert "sort=burn" in page.url
    assert "state=OK" in page.url
    expect(page.locator("th a[aria-current]")).to_have_text("Burn 1h")


def test_the_list_is_live(page: Page, room: TestRoom) -> None:
    opened(page, "/objectives?q=customs-forms%2Favailability")
    expect(page.locator("#objectives tbody .state").first).to_contain_text("UNCERTAIN")
    measured = room.decided.measured
    place = next(
        n for n, r in enumerate(measured)
        if r.budget.objective.name == "customs-forms/availability"
    )  # fmt: skip
    broken = replace(measured[place].budget, state=BudgetState.BREACH, remaining_ratio=-1.5)
    measured[place] = replace(measured[place], budget=broken)
    expect(page.locator("#objectives tbody .state").first).to_contain_text("BREACH")
    expect(page.get_by_text("150 % over")).to_be_visible()


def test_a_control_loop_that_stops_is_told_without_a_reload(page: Page, room: TestRoom) -> None:
    opened(page, "/objectives")
    expect(page.get_by_role("alert")).to_have_count(0)
    room.decided.at = time.time() - 3600
    expect(page.get_by_role("alert")).to_contain_text("Budgets are as of 1 h ago")


def test_a_click_on_the_budget_opens_the_calls_behind_it(page: Page) -> None:
    opened(page, "/objectives/cargo-search/availability")
    page.locator("[data-chart] .u-over").first.click(position={"x": 300, "y": 40})
    page.wait_for_url("**/interactions?service=cargo-search&error=true&since=*")


def test_an_alert_is_acknowledged_and_silenced(page: Page, room: TestRoom) -> None:
    opened(page, "/alerts")
    page.get_by_role("button", name="Acknowledge").click()
    expect(page.get_by_role("button", name="Acknowledge")).to_have_count(0)
    assert {a.acknowledged_by for a in room.decided.alerts() if a.state is AlertState.FIRING} == {
        "ada", "local",
    }  # fmt: skip
    page.get_by_role("link", name="Silence", exact=True).first.click()
    expect(page.get_by_label("Matchers")).to_have_value(
        'alertname="ErrorBudgetBurn"\nservice="cargo-search"\nslo="cargo-search/availability"'
    )
    page.get_by_label("Comment").fill("rolling back")
    page.get_by_role("button", name="Silence", exact=True).click()
    expect(page.get_by_text("rolling back")).to_be_visible()
    page.get_by_role("button", name="End").first.click()
    expect(page.get_by_text("2 silenced")).to_have_count(0)


def test_what_is_typed_survives_the_ticks(page: Page) -> None:
    opened(page, f"/incidents/{INCIDENT}")
    reason = page.get_by_label("Reason")
    reason.fill("rolled back at noon")
    page.wait_for_timeout(1500)  # some ticks
    expect(reason).to_have_value("rolled back at noon")
    page.get_by_role("button", name="Resolve by hand").click()
    expect(page.locator(".way [aria-current]")).to_have_text("resolved")
    expect(page.locator(".timeline")).to_contain_text("rolled back at noon")


def test_answers_are_judged_by_key_alone(page: Page, room: TestRoom) -> None:
    opened(page, "/review")
    expect(page.locator("mark:visible")).to_have_count(0)  # nothing suggests a verdict
    page.keyboard.press("d")
    expect(page.locator("mark.unsupported").first).to_be_visible()
    page.keyboard.press("c")
    page.keyboard.type("not 42 but 24")  # letters in a field are no verdicts
    assert not room.store.given
    page.keyboard.press("Tab")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("b")
    expect(page.get_by_text("Nothing waits for a label")).to_be_visible()
    (label,) = room.store.given.values()
    assert (label.value, label.sampling_probability, label.comment) == (0.0, 0.31, "not 42 but 24")


def test_everything_can_be_pressed_without_script(browser: Browser, room: TestRoom) -> None:
    with served(room.app, room.room.hub) as url:
        context = browser.new_context(base_url=url, java_script_enabled=False)
        page = context.new_page()
        page.goto("/review")
        page.get_by_role("button", name="unsupported").click()
        page.goto("/alerts")
        page.get_by_role("button", name="Acknowledge").click()
        page.goto(f"/incidents/{INCIDENT}")
        page.get_by_label("Reason").fill("over")
        page.get_by_role("button", name="Resolve by hand").click()
        context.close()
    assert [x.value for x in room.store.given.values()] == [0.0]
    assert room.decided.known_incidents[INCIDENT].resolved_at is not None
