"""Alertmanager API v2: alerts are pushed, pushed again while they fire, and resolved with an end.

An Alertmanager forgets an alert it has not heard of for its ``resolve_timeout`` (5 minutes by
default), so what fires is told again every minute, and what ended is told for 5 minutes more, in
case a push was lost. A firing alert has no ``endsAt``: the receiver's own clock then counts. Of
several instances (the option ``also``) each is told; one that is away hears of it with the next
round, as a cluster of Alertmanagers expects.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import orjson

from seakeeping.decide.notify.exchange import accepted, post
from seakeeping.decide.notify.failures import DeliveryFailed, Undeliverable
from seakeeping.decide.notify.headers import credentials, own_headers
from seakeeping.decide.notify.secrets import secret_of
from seakeeping.decide.notify.sender import Envelope, Surroundings
from seakeeping.decide.notify.webhook import generator_url
from seakeeping.decide.notify.wording import bounded_alert
from seakeeping.metrics import ERRORS
from seakeeping.records import Alert, AlertState, JsonObject, NotificationTarget
from seakeeping.records.codec import iso

RESEND_S = 60.0
"""How often what fires is told again, unless the option ``resend_s`` says otherwise."""

RESOLVED_FOR_S = 300.0
"""How long after its end an alert is still told as resolved."""

MOST_AT_ONCE = 256
_NOT_IN_NAMES = re.compile(r"[^a-zA-Z0-9_]")


class Alertmanager:
    """Pushes to one Alertmanager, or to each of several.

    ``secret_env`` holds a bearer token, or ``user:password`` with the option ``auth: basic``.
    Options: ``also`` (more addresses, spaces between), ``auth``, ``resend_s``, ``header.NAME``,
    ``ca_file``.
    """

    def __init__(self, target: NotificationTarget, surroundings: Surroundings) -> None:
        self._target = target
        self._with = surroundings
        self._told: dict[str, Alert] = {}  # what the receiver believes, by fingerprint
        self._refreshed_at = float("-inf")

    def send(self, envelope: Envelope) -> JsonObject:
        """Push the alerts of a message as they stand by now. Raises as ``Sender`` says."""
        if envelope.notification.change is not None:
            raise Undeliverable("Alertmanager has no words for a change")
        alerts = [bounded_alert(alert) for alert in envelope.notification.alerts]
        if (standing := self._live()) is not None:
            # a message that waited may tell of what is over by now
            alerts = [self._as_it_stands(alert, standing) for alert in alerts]
        self._push(alerts)
        return {}

    def _live(self) -> dict[str, Alert] | None:
        if self._with.live is None:
            return None
        alerts = map(bounded_alert, self._with.live(self._target))
        return {alert.fingerprint: alert for alert in alerts}

    def _as_it_stands(self, alert: Alert, standing: Mapping[str, Alert]) -> Alert:
        if (found := standing.get(alert.fingerprint)) is not None:
            return found
        return alert if alert.state is AlertState.RESOLVED else self._ended(alert)

    def _ended(self, alert: Alert) -> Alert:
        now = max(self._with.clock.now(), alert.starts_at)
        return replace(alert, state=AlertState.RESOLVED, ends_at=now)

    def refresh(self) -> None:
        """Push everything that fires or ended just now, once in ``resend_s``."""
        now = self._with.clock.monotonic()
        if now - self._refreshed_at < self._resend_s():
            return
        if alerts := self._standing():
            self._push(alerts)
        self._refreshed_at = now

    def _resend_s(self) -> float:
        try:
            return max(1.0, float(self._target.options.get("resend_s", RESEND_S)))
        except ValueError:
            raise DeliveryFailed("the option resend_s is no number of seconds") from None

    def _standing(self) -> list[Alert]:
        """Return what is to be told now; what vanished without a word has ended."""
        standing = dict(self._told)
        if (live := self._live()) is not None:
            gone = {known: alert for known, alert in standing.items() if known not in live}
            standing = live | {
                known: self._ended(alert) if alert.state is AlertState.FIRING else alert
                for known, alert in gone.items()
            }
        oldest = self._with.clock.now() - RESOLVED_FOR_S
        kept = {
            known: alert
            for known, alert in standing.items()
            if alert.ends_at is None or alert.ends_at >= oldest
        }
        self._told = {known: alert for known, alert in self._told.items() if known in kept}
        return list(kept.values())

    def _push(self, alerts: Iterable[Alert]) -> None:
        told = [alert for alert in alerts if alert.state is not AlertState.PENDING]
        for start in range(0, len(told), MOST_AT_ONCE):
            self._push_some(told[start : start + MOST_AT_ONCE])

    def _push_some(self, alerts: Sequence[Alert]) -> None:
        body = orjson.dumps([wire_alert(alert, self._with.external_url) for alert in alerts])
        also = self._target.options.get("also", "").split()
        addresses = [self._target.url, *also] if self._target.url else also
        if not addresses:
            raise DeliveryFailed(f"the target {self._target.name} has no url")
        failures = [error for url in addresses if (error := self._tell(url, body)) is not None]
        if len(failures) == len(addresses):
            raise failures[0]
        for failure in failures:
            ERRORS.labels("alertmanager", type(failure).__name__).inc()
        self._told |= {alert.fingerprint: alert for alert in alerts}

    def _tell(self, url: str, body: bytes) -> DeliveryFailed | Undeliverable | None:
        secret = secret_of(self._target, self._with.environ)
        headers = {
            "Content-Type": "application/json",
            **credentials(self._target, secret, "bearer"),
            **own_headers(self._target.options),
        }
        try:
            answer = post(
                url.rstrip("/") + "/api/v2/alerts",
                body,
                headers,
                timeout_s=self._with.timeout_s,
                ca_file=self._target.options.get("ca_file"),
            )
            accepted(answer, now=self._with.clock.now())
        except (DeliveryFailed, Undeliverable) as error:
            return error
        return None


def wire_alert(alert: Alert, external_url: str) -> dict[str, Any]:
    """Return an alert, whose texts are clean, as ``POST /api/v2/alerts`` takes it."""
    made = {
        "labels": _names(alert.labels),
        "annotations": _names(alert.annotations),
        "startsAt": iso(alert.starts_at),
        "generatorURL": generator_url(alert, external_url),
    }
    if alert.ends_at is not None:
        # Alertmanager refuses what ends before it begins
        made["endsAt"] = iso(max(alert.ends_at, alert.starts_at))
    return made


def _names(texts: Mapping[str, str]) -> dict[str, str]:
    """Return texts under names that Prometheus knows as label names; empty ones say nothing."""
    named = {_label_name(name): text for name, text in texts.items() if text}
    return {**named, **{name: texts[name] for name in texts.keys() & named.keys()}}


def _label_name(name: str) -> str:
    fit = _NOT_IN_NAMES.sub("_", name)
    return f"_{fit}" if not fit or fit[0].isdigit() else fit
