"""Which sender speaks to which kind of target."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from seakeeping.decide.notify.alertmanager import Alertmanager
from seakeeping.decide.notify.cloudevents import CloudEvents
from seakeeping.decide.notify.long_tail import LongTail
from seakeeping.decide.notify.mail import Mail
from seakeeping.decide.notify.pagerduty import PagerDuty
from seakeeping.decide.notify.sender import Sender, Surroundings
from seakeeping.decide.notify.slack import Slack
from seakeeping.decide.notify.webhook import Webhook
from seakeeping.records import NotificationTarget, TargetKind

SENDERS: Mapping[TargetKind, Callable[[NotificationTarget, Surroundings], Sender]] = (
    MappingProxyType({
        TargetKind.ALERTMANAGER: Alertmanager,
        TargetKind.WEBHOOK: Webhook,
        TargetKind.PAGERDUTY: PagerDuty,
        TargetKind.SLACK: Slack,
        TargetKind.EMAIL: Mail,
        TargetKind.APPRISE: LongTail,
        TargetKind.CLOUDEVENTS: CloudEvents,
    })
)  # fmt: skip


def sender_of(target: NotificationTarget, surroundings: Surroundings) -> Sender:
    """Return the sender that speaks to a target; it asks nobody yet."""
    return SENDERS[target.kind](target, surroundings)
