"""Sample deliveries: each state once and more, through the outbox's own doors."""

from seakeeping.records import (
    Alert,
    Change,
    ChangeKind,
    Notification,
    NotificationTarget,
    Severity,
    TargetKind,
)
from seakeeping.store.ledger.outbox import Delivery, Outbox
from seakeeping.web.testing.sample import HOSTILE, HOSTILE_NAME

TARGETS = (
    NotificationTarget("pager", TargetKind.PAGERDUTY, secret_env="PAGERDUTY_ROUTING_KEY"),
    NotificationTarget("room", TargetKind.SLACK, secret_env="SLACK_BOT_TOKEN"),
    NotificationTarget(HOSTILE_NAME, TargetKind.WEBHOOK, "https://hooks.example.org/x"),
    NotificationTarget("quiet", TargetKind.EMAIL, "smtp://mail.example.org"),
)


def fill_outbox(outbox: Outbox, now: float) -> Outbox:
    """Put the sample messages as of ``now`` and let them fare differently; return the outbox."""
    outbox.put(
        _alerts("pager", 1, now - 1_900, "new"),
        _alerts("room", 1, now - 1_900, "new"),
        _alerts(HOSTILE_NAME, 1, now - 1_800, "new", service=HOSTILE_NAME, slo=HOSTILE),
        _alerts("gone", 1, now - 1_700, "new", service="crew-chat"),
        _alerts("room", 1, now - 900, "repeat", slo="cargo-search/faithfulness"),
        _change("pager", now - 600),
        _alerts("room", 2, now - 60, "changed", slo="cargo-search/faithfulness"),
    )
    for delivery in outbox.due(limit=100):
        outbox.claim(delivery)
        _fare(outbox, delivery, now)
    return outbox


def _fare(outbox: Outbox, delivery: Delivery, now: float) -> None:
    match delivery.target:
        case "pager":
            outbox.settle(delivery, {})
        case "room":
            outbox.postpone(delivery, now + 123, "slack.com: answered 503")
        case "gone":
            outbox.fail(delivery, "there is no target 'gone' any more")
        case _:
            outbox.fail(delivery, f"hooks.example.org: answered 400: {HOSTILE} key=***")


def _alerts(target: str, sequence: int, at: float, reason: str, **labels: str) -> Notification:
    known = {
        "alertname": "ErrorBudgetBurn", "severity": "page", "service": "cargo-search",
        "slo": "cargo-search/availability", **labels,
    }  # fmt: skip
    alert = Alert(known, {"summary": "It burns."}, at - 30, Severity.PAGE, objective=known["slo"])
    group = {name: known[name] for name in ("service", "slo")}
    return Notification(
        target=target, group_key=str(sorted(group.items())), sequence=sequence, status="firing",
        reason=reason, at=at, group_labels=group, common_labels=known,
        common_annotations=alert.annotations, alerts=(alert,),
    )  # fmt: skip


def _change(target: str, at: float) -> Notification:
    change = Change(
        "release-v42", ChangeKind.DEPLOY, "cargo-search", at, before="v41", after="v42",
        dimension="release", by="argo",
    )  # fmt: skip
    return Notification(
        target=target, group_key=f"change/{change.id}", sequence=1, status="resolved",
        reason="change", at=at, group_labels={}, common_labels={}, common_annotations={},
        alerts=(), change=change,
    )  # fmt: skip
