"""Who is told what and when, as Alertmanager does it.

Alerts with the same values of ``group_by`` are one message. A new group waits ``group_wait_s`` for
its other alerts; what changes in it afterwards is told at most every ``group_interval_s``; as long
as it fires and nobody has acknowledged it, it is told again every ``repeat_interval_s``. Silenced
and inhibited alerts are left out. Whether there is anything to say follows from the last message of
the same group to the same target, Alertmanager's notification log:

    never told          something fires                           -> new
    told                an alert fires that was not in it         -> changed
                        one of it ended, others fire              -> changed
                        all that fired of it ended                -> resolved
                        somebody acknowledged                     -> acknowledged, at once
                        nothing of all this, and long ago         -> repeat

So the only state of a `Router` is the last message of each group to each target, which the outbox
keeps anyway: a router that is made anew from them (``Outbox.latest``) goes on as the old one would
have. ``step`` decides and changes nothing; ``remember`` is called once the messages are safe in the
outbox. A crash between the two sends nothing twice: the message is made again, or found there.

Where the labels to group by are changed while a group fires, its last message is followed by its
end and by the new groups: a page under the old key would else stay open for ever.

A target that is itself an Alertmanager groups, silences and inhibits on its own: it is told every
change at once, and reminded of what stands by whoever pushes (``decide.notify``).

Differences from Alertmanager, both towards telling sooner: a change in a group that was last told
longer than ``group_interval_s`` ago is told at once rather than at the next tick of a timer, and an
alert whose end is told to nobody (``when_resolved``) is told anew when it begins anew.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from seakeeping.decide.route.inhibit import inhibited
from seakeeping.records import (
    Alert,
    AlertState,
    Incident,
    Notification,
    NotificationTarget,
    Routing,
    Silence,
    TargetKind,
)
from seakeeping.records.routing import BY_ALL

FORGET_S = 7 * 86_400.0
"""How long the last message of a group that is over is remembered."""

_Thread = tuple[str, str]
"""A target and the key of a group."""


class Router:
    """What is told next, from what stands and what was told."""

    def __init__(self, routing: Routing | None = None, told: Iterable[Notification] = ()) -> None:
        self._routing = routing or Routing()
        self._told: dict[_Thread, Notification] = {}
        self.remember(told)

    def follow(self, routing: Routing) -> None:
        """Group, wait and inhibit like this from the next step on."""
        self._routing = routing

    def step(
        self,
        alerts: Sequence[Alert],
        now: float,
        *,
        targets: Iterable[NotificationTarget],
        silences: Iterable[Silence] = (),
        incidents: Mapping[str, Incident] | None = None,
    ) -> list[Notification]:
        """Return the messages that are due now.

        Args:
            alerts: all that fire, and those that ended since the last messages of their groups;
                pending ones and those that came from an Alertmanager are told to nobody.
            now: Unix seconds.
            targets: everybody who can be told.
            silences: those in force or not; only the former count.
            incidents: those that alerts belong to, by id, to be told with them.
        """
        ours = [a for a in alerts if a.objective is not None and a.state is not AlertState.PENDING]
        quiet = self.quiet(ours, now, silences)
        groups = self._groups(ours)
        due: list[Notification] = []
        for target in targets:
            routing, muted = self._manner(target, quiet)
            due += self._farewells(target.name, now)
            for key, group in groups.items():
                heard = [a for a in group if a.fingerprint not in muted and _is_for(a, target.name)]
                last = self._told.get((target.name, key))
                if heard and (reason := _reason(heard, last, now, routing)):
                    message = _message(target.name, key, heard, last, reason, now, routing)
                    due.append(_with_incident(message, incidents or {}))
        return due

    def quiet(
        self, alerts: Sequence[Alert], now: float, silences: Iterable[Silence]
    ) -> frozenset[str]:
        """Return the fingerprints of alerts that are silenced or inhibited."""
        active = [silence for silence in silences if silence.is_active(now)]
        silenced = (a.fingerprint for a in alerts if any(s.silences(a.labels) for s in active))
        return frozenset(silenced) | inhibited(alerts, self._routing.inhibit)

    def remember(self, notifications: Iterable[Notification]) -> None:
        """Go on from these messages: they are in the outbox."""
        for told in notifications:
            thread = told.target, told.group_key
            before = self._told.get(thread)
            if before is None or told.sequence >= before.sequence:
                self._told[thread] = told

    def told_firing(self) -> frozenset[str]:
        """Return the fingerprints of alerts that somebody believes to fire."""
        return frozenset(
            alert.fingerprint
            for told in self._told.values()
            for alert in told.alerts
            if alert.state is AlertState.FIRING
        )

    def forget(self, now: float) -> None:
        """Drop what was told of groups that are long over."""
        self._told = {
            thread: told
            for thread, told in self._told.items()
            if told.status == "firing" or now - told.at < FORGET_S
        }

    def _farewells(self, target: str, now: float) -> Iterator[Notification]:
        """Yield the ends of groups that the routing in force makes no more."""
        for (name, key), last in self._told.items():
            if name != target or last.status != "firing":
                continue
            if any(group_key(_group_labels(a, self._routing)) == key for a in last.alerts):
                continue
            over = [replace(a, state=AlertState.RESOLVED, ends_at=now) for a in last.alerts]
            told = _Told.of(last)
            if any(told.is_end(alert) for alert in over):
                message = _message(name, key, over, last, "resolved", now, self._routing)
                yield replace(message, group_labels=last.group_labels)

    def _manner(
        self, target: NotificationTarget, quiet: frozenset[str]
    ) -> tuple[Routing, frozenset[str]]:
        if target.kind is TargetKind.ALERTMANAGER:
            at_once = replace(
                self._routing, group_wait_s=0.0, group_interval_s=0.0, repeat_interval_s=math.inf
            )
            return at_once, frozenset()
        return self._routing, quiet

    def _groups(self, alerts: Iterable[Alert]) -> dict[str, list[Alert]]:
        groups: dict[str, list[Alert]] = {}
        for alert in alerts:
            key = group_key(_group_labels(alert, self._routing))
            groups.setdefault(key, []).append(alert)
        return groups


def group_key(labels: Mapping[str, str]) -> str:
    """Return the identity of a group, in the notation of Prometheus.

    >>> group_key({"slo": "chat/latency", "service": "chat"})
    '{service="chat", slo="chat/latency"}'
    """
    return "{" + ", ".join(f'{name}="{labels[name]}"' for name in sorted(labels)) + "}"


def _is_for(alert: Alert, target: str) -> bool:
    return not alert.targets or target in alert.targets


def _reason(heard: Sequence[Alert], last: Notification | None, now: float, routing: Routing) -> str:
    """Return why a group is told now, ``""`` where it is not."""
    firing = [alert for alert in heard if alert.state is AlertState.FIRING]
    told = _Told.of(last)
    if not told.firing:
        waited = now - min((a.starts_at for a in firing), default=now)
        return "new" if firing and not 0 <= waited < routing.group_wait_s else ""
    if reason := _change(heard, firing, told):
        return reason if not 0 <= now - told.at < routing.group_interval_s else ""
    if any(a.acknowledged_by and a.fingerprint not in told.acknowledged for a in firing):
        return "acknowledged"
    is_open = any(alert.acknowledged_by is None for alert in firing)
    is_long_ago = not 0 <= now - told.at < routing.repeat_interval_s
    return "repeat" if is_open and is_long_ago else ""


def _change(heard: Sequence[Alert], firing: Sequence[Alert], told: "_Told") -> str:
    if any(told.is_news(alert) for alert in firing):
        return "changed"
    ended = [a for a in heard if a.state is AlertState.RESOLVED and told.is_end(a)]
    if not ended:
        return ""
    return "changed" if firing else "resolved"


@dataclass(frozen=True, slots=True)
class _Told:
    """What the last message of a group said: who fired since when, and what was acknowledged."""

    at: float
    firing: Mapping[str, float]
    acknowledged: frozenset[str]

    @classmethod
    def of(cls, last: Notification | None) -> "_Told":
        if last is None:
            return cls(0.0, {}, frozenset())
        firing = [alert for alert in last.alerts if alert.state is AlertState.FIRING]
        return cls(
            last.at,
            {alert.fingerprint: alert.starts_at for alert in firing},
            frozenset(a.fingerprint for a in firing if a.acknowledged_by is not None),
        )

    def is_news(self, alert: Alert) -> bool:
        """Whether an alert fires that was not told, or whose end could not be."""
        if alert.fingerprint not in self.firing:
            return True
        return not alert.when_resolved and alert.starts_at > self.firing[alert.fingerprint] + 1e-3

    def is_end(self, alert: Alert) -> bool:
        """Whether an alert ended that was told to fire."""
        return alert.when_resolved and alert.fingerprint in self.firing


def _message(
    target: str,
    key: str,
    heard: Sequence[Alert],
    last: Notification | None,
    reason: str,
    now: float,
    routing: Routing,
) -> Notification:
    told = _Told.of(last)
    alerts = sorted(
        (a for a in heard if a.state is AlertState.FIRING or told.is_end(a)),
        key=lambda a: (a.state is not AlertState.FIRING, a.severity.value, a.fingerprint),
    )
    is_firing = any(alert.state is AlertState.FIRING for alert in alerts)
    return Notification(
        target=target,
        group_key=key,
        # grows over restarts too, and over messages that are remembered no more
        sequence=max(0 if last is None else last.sequence + 1, int(now * 1000)),
        status="firing" if is_firing else "resolved",
        reason=reason,
        at=now,
        group_labels=_group_labels(alerts[0], routing),
        common_labels=_common([alert.labels for alert in alerts]),
        common_annotations=_common([alert.annotations for alert in alerts]),
        alerts=tuple(alerts),
    )


def _group_labels(alert: Alert, routing: Routing) -> dict[str, str]:
    if routing.group_by == (BY_ALL,):
        return dict(alert.labels)
    return {name: alert.labels.get(name, "") for name in routing.group_by}


def _common(many: Sequence[Mapping[str, str]]) -> dict[str, str]:
    first, *others = many
    return {k: v for k, v in first.items() if all(other.get(k) == v for other in others)}


def _with_incident(message: Notification, incidents: Mapping[str, Incident]) -> Notification:
    ids = [alert.incident_id for alert in message.alerts if alert.incident_id in incidents]
    return replace(message, incident=incidents[ids[0] or ""]) if ids else message
