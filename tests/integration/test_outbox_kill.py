"""``kill -9`` at every step: nothing is lost, nothing doubled at a receiver that honours keys."""

import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest
from tests.receivers.pagerduty import ROUTING_KEY, PagerDutyReceiver
from tests.receivers.slack import TOKEN, SlackReceiver
from tests.receivers.webhooks import WebhookReceiver

ROOT = Path(__file__).parent.parent.parent
SCRIPT = "tests.receivers.dying_courier"
FEWEST_STEPS = 40

pytestmark = pytest.mark.timeout(300)  # hundreds of processes, each begun and killed


def steps_of(folder: Path, kind: str, url: str, secret: str) -> int:
    """Return how many deaths were died."""
    done = subprocess.run(
        [sys.executable, "-m", SCRIPT, folder, kind, url, "SECRET"],
        env={**os.environ, "SECRET": secret}, cwd=ROOT,
        capture_output=True, text=True, timeout=280, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


def test_a_webhook_that_honours_the_key_acts_once_on_every_message(tmp_path: Path) -> None:
    with WebhookReceiver() as receiver:
        steps = steps_of(tmp_path, "webhook", receiver.url, "s3cret-key")
    assert steps > FEWEST_STEPS
    acted: dict[str, list[str]] = defaultdict(list)
    for key in receiver.acted:
        target, _, rest = key.partition("/")
        acted[target].append(rest)
    assert len(acted) == steps
    for order in acted.values():
        assert sorted(order) == [
            "bot/availability/1", "bot/availability/2", "bot/latency/1",
        ]  # fmt: skip
        assert [key for key in order if "availability" in key] == sorted(order)[:2]
    # a death between sending and closing sends once more, and no other does
    doubled = len(receiver.deliveries) - len(receiver.acted)
    assert 0 < doubled <= steps


def test_pagerduty_opens_every_alert_once(tmp_path: Path) -> None:
    with PagerDutyReceiver() as receiver:
        steps = steps_of(tmp_path, "pagerduty", receiver.enqueue, ROUTING_KEY)
    assert steps > FEWEST_STEPS
    assert len(receiver.opened) == 2 * steps
    assert set(receiver.opened.values()) == {1}
    assert sorted(receiver.alerts.values()) == ["resolved"] * steps + ["triggered"] * steps


def test_slack_shows_every_group_once(tmp_path: Path) -> None:
    with SlackReceiver() as receiver:
        steps = steps_of(tmp_path, "slack", receiver.api, TOKEN)
    assert steps > FEWEST_STEPS
    keys = [m["metadata"]["event_payload"]["key"] for m in receiver.messages]
    assert len(keys) == len(set(keys)) == 2 * steps
    resolved = [m for m in receiver.messages if "RESOLVED" in m["text"]]
    assert len(resolved) == steps
