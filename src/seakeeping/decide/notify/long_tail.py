"""Everybody else, through Apprise: Teams, Opsgenie, Telegram, ntfy and a hundred more.

The one place that imports it. ``secret_env`` holds an Apprise address (several with spaces), which
is a secret as a whole. Apprise is kept from writing files, and its log, which holds addresses, is
kept out of ours. It says of a failure only that there was one, so all of them are tried again.

It is imported at the first use: it takes 13 MB, of every process that knows of notifications.
"""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from seakeeping.decide.notify.failures import DeliveryFailed
from seakeeping.decide.notify.secrets import Mask, quiet, secret_of
from seakeeping.decide.notify.sender import Envelope, Surroundings
from seakeeping.decide.notify.wording import body, clip, headline, one_line
from seakeeping.records import JsonObject, Notification, NotificationTarget, Severity

if TYPE_CHECKING:
    import apprise

_LONGEST_BODY = 30_000
_LONGEST_TITLE = 250


class LongTail:
    """Sends through every address that ``secret_env`` holds."""

    def __init__(self, target: NotificationTarget, surroundings: Surroundings) -> None:
        self._target = target
        self._with = surroundings
        logging.getLogger("apprise").addFilter(_REASONS)  # adding it again does nothing
        quiet("urllib3.connectionpool")

    def send(self, envelope: Envelope) -> JsonObject:
        """Send one message. Raises DeliveryFailed."""
        secret = secret_of(self._target, self._with.environ)
        if secret is None:
            raise DeliveryFailed(f"the target {self._target.name} names no secret_env")
        import apprise

        notification = envelope.notification
        with _REASONS.listening() as reasons:
            is_sent = self._services(secret).notify(
                body=clip(body(notification, self._with.external_url), _LONGEST_BODY),
                title=clip(headline(notification), _LONGEST_TITLE),
                notify_type=_type(notification),
                body_format=apprise.NotifyFormat.TEXT,
            )
        if not is_sent:
            mask = Mask([self._target], self._with.environ)
            told = mask(one_line("; ".join(reasons))) or "no reason given"
            raise DeliveryFailed(f"Apprise could not send to {self._target.name}: {told[:200]}")
        return {}

    def _services(self, secret: str) -> "apprise.Apprise":
        import apprise

        asset = apprise.AppriseAsset(
            app_id="Seakeeping",
            app_desc="Seakeeping",
            app_url=self._with.external_url,
            async_mode=False,
            secure_logging=True,
            storage_mode=apprise.PersistentStoreMode.MEMORY,
        )
        services = apprise.Apprise(asset=asset)
        if not all([services.add(address) for address in secret.split()]) or not services:
            raise DeliveryFailed(
                f"{self._target.secret_env} holds an address that Apprise does not know"
            )
        return services


class _Reasons(logging.Filter):
    """Keeps what Apprise logs out of every log, and what it warns of for whoever asked it."""

    def __init__(self) -> None:
        super().__init__()
        self._kept = threading.local()

    def filter(self, record: logging.LogRecord) -> bool:
        """Keep the first warnings of a thread that listens; nothing goes on from here."""
        kept = getattr(self._kept, "told", None)
        if kept is not None and record.levelno >= logging.WARNING and len(kept) < 5:
            kept.append(record.getMessage())
        return False

    @contextmanager
    def listening(self) -> Iterator[list[str]]:
        """Yield what is warned of in this thread within the block."""
        told: list[str] = []
        self._kept.told = told
        try:
            yield told
        finally:
            self._kept.told = None


_REASONS = _Reasons()


def _type(notification: Notification) -> "apprise.NotifyType":
    import apprise

    if notification.change is not None:
        return apprise.NotifyType.INFO
    if notification.status == "resolved":
        return apprise.NotifyType.SUCCESS
    is_page = any(alert.severity is Severity.PAGE for alert in notification.alerts)
    return apprise.NotifyType.FAILURE if is_page else apprise.NotifyType.WARNING
