"""Alerts, notifications, and a courier over a ledger of its own, for the tests of every kind."""

import random
import shutil
import tempfile
import weakref
from collections.abc import Mapping, Sequence
from typing import Any

from seakeeping.decide.notify.courier import Courier
from seakeeping.decide.notify.sender import Live
from seakeeping.records import (
    Alert,
    AlertState,
    Change,
    ChangeKind,
    Incident,
    IncidentState,
    Notification,
    NotificationTarget,
    Severity,
)
from seakeeping.store.ledger import Ledger, open_at
from seakeeping.store.ledger.outbox import DeliveryState, Outbox

NOW = 1_790_000_000.0


class FakeClock:
    """Stands still until it is moved: ``at`` moves both times, ``jump`` the wall's alone."""

    def __init__(self, at: float = NOW) -> None:
        self.at = at
        self._behind_s = 0.0

    def jump(self, by_s: float) -> None:
        self.at += by_s
        self._behind_s += by_s

    def now(self) -> float:
        return self.at

    def monotonic(self) -> float:
        return self.at - self._behind_s


def an_alert(slo: str = "availability", **changed: Any) -> Alert:
    labels = {
        "alertname": "ErrorBudgetBurn", "severity": "page", "service": "bot", "slo": slo,
        **changed.pop("labels", {}),
    }  # fmt: skip
    made: dict[str, Any] = {
        "labels": labels,
        "annotations": {"summary": "Every third answer fails.", "budget_left": "-12 %"},
        "starts_at": NOW - 60,
        "severity": Severity.PAGE,
        "objective": f"bot/{slo}",
    }
    return Alert(**{**made, **changed})


def ended(alert: Alert, at: float = NOW) -> Alert:
    return Alert(
        alert.labels, alert.annotations, alert.starts_at, alert.severity, alert.objective,
        state=AlertState.RESOLVED, ends_at=at,
    )  # fmt: skip


def a_message(
    alerts: Sequence[Alert] = (), /, sequence: int = 1, target: str = "it", **changed: Any
) -> Notification:
    shown = tuple(alerts) or (an_alert(),)
    made: dict[str, Any] = {
        "target": target,
        "group_key": "bot/availability",
        "sequence": sequence,
        "status": "firing",
        "reason": "new",
        "at": NOW,
        "group_labels": {"service": "bot", "slo": "availability"},
        "common_labels": shown[0].labels,
        "common_annotations": {},
        "alerts": shown,
    }
    return Notification(**{**made, **changed})


def a_resolution(sequence: int = 2, **changed: Any) -> Notification:
    return a_message(
        [ended(an_alert())], sequence=sequence, status="resolved", reason="resolved", **changed
    )


def a_change(target: str = "it", **changed: Any) -> Notification:
    told = Change(
        "deploy-7", ChangeKind.DEPLOY, "bot", NOW - 5, before="v6", after="v7", by="ci", **changed
    )
    return a_message(
        target=target, group_key="change/deploy-7", reason="change", alerts=(), change=told
    )


def an_incident(**changed: Any) -> Incident:
    made: dict[str, Any] = {
        "id": "inc-7", "title": "bot: answers fail", "service": "bot",
        "state": IncidentState.DIAGNOSED, "severity": Severity.PAGE, "opened_at": NOW - 30,
    }  # fmt: skip
    return Incident(**{**made, **changed})


class Rig:
    """An outbox, a clock, and a courier to the given targets."""

    def __init__(
        self,
        *targets: NotificationTarget,
        environ: Mapping[str, str] | None = None,
        live: Live | None = None,
        external_url: str = "https://sea.example.org",
        timeout_s: float = 10.0,
        ledger: Ledger | None = None,
    ) -> None:
        self.clock = FakeClock()
        self.ledger = ledger or self._open()
        self.outbox = Outbox(self.ledger)
        self.courier = Courier(
            self.outbox,
            targets,
            self.clock,
            environ=environ or {},
            live=live,
            external_url=external_url,
            timeout_s=timeout_s,
            chance=random.Random(5),
        )

    def _open(self) -> Ledger:
        folder = tempfile.mkdtemp(prefix="seakeeping-outbox-")
        ledger = open_at(f"sqlite:///{folder}/ledger.db", self.clock)
        weakref.finalize(self, shutil.rmtree, folder)
        weakref.finalize(self, ledger.close)
        return ledger

    def send(self, *notifications: Notification) -> None:
        self.outbox.put(*notifications)
        self.courier.deliver_due()

    @property
    def states(self) -> list[DeliveryState]:
        return [delivery.state for delivery in reversed(self.outbox.deliveries())]

    @property
    def error(self) -> str:
        return self.outbox.deliveries()[0].error or ""
