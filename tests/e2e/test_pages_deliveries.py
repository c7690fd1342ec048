"""Deliveries in a real browser: narrowed, watched live, sent after all by a button or by key."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from seakeeping.clock import SystemClock
from seakeeping.store.ledger.outbox import DeliveryState
from seakeeping.web.testing import MemoryStore, TestRoom, fill_outbox, make_room, served

pytestmark = pytest.mark.needs_chromium

FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=os.environ.get("SEAKEEPING_TEST_CHROMIUM", "/usr/bin/chromium"),
            args=list(FLAGS),
        )
        yield chromium
        chromium.close()


@pytest.fixture
def room(tmp_path: Path) -> Iterator[TestRoom]:
    made = make_room(MemoryStore(), tmp_path, SystemClock())
    fill_outbox(made.outbox, time.time())
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


def test_alerts_lead_to_deliveries_and_back(page: Page) -> None:
    opened(page, "/alerts").get_by_role("link", name="Deliveries").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Deliveries")
    expect(page.locator("nav a[aria-current=page]")).to_have_text("Alerts")


def test_the_list_is_narrowed_by_target_and_state(page: Page) -> None:
    opened(page, "/deliveries")
    rows = page.get_by_label("Messages").locator("tbody tr")
    expect(rows).to_have_count(7)
    page.get_by_role("link", name="room", exact=True).click()
    expect(rows).to_have_count(3)
    page.get_by_label("State").get_by_role("link", name="waiting").click()
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("answered 503")


def test_a_failed_message_is_sent_after_all(page: Page, room: TestRoom) -> None:
    opened(page, "/deliveries?target=gone")
    page.evaluate("window.marked = true")
    row = page.get_by_label("Messages").locator("tbody tr").first
    expect(row).to_contain_text("there is no target")
    row.get_by_role("button", name="Retry").click()
    expect(row).to_contain_text("waiting")
    expect(row.get_by_role("button")).to_have_count(0)
    assert page.url.endswith("/deliveries?target=gone")
    assert [d.state for d in room.outbox.deliveries(target="gone")] == [DeliveryState.WAITING]


def test_the_button_works_by_key(page: Page, room: TestRoom) -> None:
    opened(page, "/deliveries?target=gone")
    page.get_by_role("button", name="Retry").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Retry")).to_have_count(0)
    assert [entry.action for entry in room.ledger.audit_entries()] == ["notification.retry"]


def test_the_page_follows_what_the_courier_does(page: Page, room: TestRoom) -> None:
    opened(page, "/deliveries?target=room")
    page.evaluate("window.marked = true")
    row = page.get_by_label("Messages").locator("tbody tr").first
    expect(row).to_contain_text("waiting")
    (delivery, *_) = room.outbox.deliveries(target="room")
    room.outbox.claim(delivery)
    room.outbox.settle(delivery, {})
    expect(row).to_contain_text("delivered")
    expect(row).not_to_contain_text("answered 503")
    assert page.evaluate("window.marked") is True


def test_a_page_without_script_has_it_all(browser: Browser, room: TestRoom) -> None:
    with served(room.app, room.room.hub) as url:
        context = browser.new_context(base_url=url, java_script_enabled=False)
        page = context.new_page()
        page.goto("/deliveries?state=failed")
        page.get_by_role("button", name="Retry").last.click()
        expect(page.get_by_role("button", name="Retry")).to_have_count(1)
        context.close()
