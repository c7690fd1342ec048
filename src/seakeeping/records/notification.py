"""What is told to people and machines, and where it goes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from seakeeping.records.incident import Alert, Change, Incident


class TargetKind(StrEnum):
    """How a target is spoken to."""

    ALERTMANAGER = "alertmanager"
    WEBHOOK = "webhook"
    PAGERDUTY = "pagerduty"
    SLACK = "slack"
    EMAIL = "email"
    APPRISE = "apprise"
    CLOUDEVENTS = "cloudevents"


@dataclass(frozen=True, slots=True)
class NotificationTarget:
    """A place that notifications go to (OpenSLO ``AlertNotificationTarget``).

    ``url`` is the address without secrets. ``secret_env`` names the environment variable that holds
    the secret (routing key, bot token, HMAC key, or a whole secret address); the secret itself is
    never in a resource. ``options`` are the kind's own, e.g. Slack's ``channel``.
    """

    name: str
    kind: TargetKind
    url: str | None = None
    secret_env: str | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    description: str = ""


@dataclass(frozen=True, slots=True)
class Notification:
    """One message to one target: the alerts of a group (Alertmanager's webhook data, version 4).

    ``group_key`` is the group's identity, ``sequence`` grows with every message of the group to
    that target. ``status`` is firing or resolved. ``reason`` is why it is sent now: new, changed,
    repeat, acknowledged, resolved; or ``change``, which tells of ``change`` and has no alerts.
    """

    target: str
    group_key: str
    sequence: int
    status: str
    reason: str
    at: float
    group_labels: Mapping[str, str]
    common_labels: Mapping[str, str]
    common_annotations: Mapping[str, str]
    alerts: tuple[Alert, ...]
    truncated: int = 0
    incident: Incident | None = None
    change: Change | None = None

    @property
    def dedup_key(self) -> str:
        """The key by which a receiver tells a repeated delivery from a new message."""
        return f"{self.target}/{self.group_key}/{self.sequence}"
