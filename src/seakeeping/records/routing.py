"""When groups of alerts are told, and what keeps quiet because a graver one speaks.

The words and the defaults are Alertmanager's; only alerts are grouped by objective where nobody
says otherwise, one rule of inhibition is built in, and the resolve timeout is longer.
"""

from dataclasses import dataclass

from seakeeping.records.objective import Severity
from seakeeping.records.silence import Matcher

BY_ALL = "..."
"""As the only name to group by: by all labels, so that each alert is a message of its own."""


@dataclass(frozen=True, slots=True)
class InhibitRule:
    """Alerts that meet ``target`` keep quiet while one fires that meets ``source``.

    Both have the same values in all labels of ``equal``.
    """

    source: tuple[Matcher, ...]
    target: tuple[Matcher, ...]
    equal: tuple[str, ...] = ()


PAGE_INHIBITS_TICKET = InhibitRule(
    source=(Matcher("severity", Severity.PAGE.value),),
    target=(Matcher("severity", Severity.TICKET.value),),
    equal=("service", "slo"),
)
"""The built-in rule; ``severity`` is the alert's own, also where its label has other words."""


@dataclass(frozen=True, slots=True)
class Routing:
    """When groups are told; the intervals are Alertmanager's defaults, in seconds.

    ``group_by`` names the labels whose values make a group. ``resolve_timeout_s`` is how long an
    alert of others lasts that was told without an end and is not told again: an Alertmanager tells
    its webhooks every four hours, and some minutes, that an alert goes on.
    """

    group_by: tuple[str, ...] = ("service", "slo")
    group_wait_s: float = 30.0
    group_interval_s: float = 300.0
    repeat_interval_s: float = 14_400.0
    inhibit: tuple[InhibitRule, ...] = (PAGE_INHIBITS_TICKET,)
    resolve_timeout_s: float = 18_000.0
