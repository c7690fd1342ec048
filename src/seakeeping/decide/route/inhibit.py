"""Which alerts keep quiet because a graver one speaks (Alertmanager's inhibition).

An alert that meets a rule's ``target`` matchers is inhibited while another one fires that meets its
``source`` matchers and has the same values in all labels of ``equal``; a missing label is the empty
string. An alert that meets both sides of a rule is not inhibited by others like it, else two of
them would silence each other. Unlike a silence this is nobody's decision, so it ends by itself.

One rule is built in (``PAGE_INHIBITS_TICKET``): while an objective pages, its ticket says nothing
new. ``severity`` is the alert's own, also where its label has other words.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from seakeeping.records import Alert, AlertState, InhibitRule, Matcher


def inhibited(alerts: Iterable[Alert], rules: Sequence[InhibitRule]) -> frozenset[str]:
    """Return the fingerprints of the alerts that keep quiet."""
    known = [(alert, _labels(alert)) for alert in alerts]
    return frozenset(key for rule in rules for key in _quiet(known, rule))


def _quiet(known: Sequence[tuple[Alert, Mapping[str, str]]], rule: InhibitRule) -> Iterator[str]:
    firing = [labels for alert, labels in known if alert.state is AlertState.FIRING]
    sources = [labels for labels in firing if _meets(labels, rule.source)]
    any_source = {_values(labels, rule.equal) for labels in sources}
    # a source that is a target itself inhibits only alerts that are no source
    pure = {_values(each, rule.equal) for each in sources if not _meets(each, rule.target)}
    for alert, labels in known:
        is_source = _meets(labels, rule.source)
        by = pure if is_source else any_source
        if _meets(labels, rule.target) and _values(labels, rule.equal) in by:
            yield alert.fingerprint


def _labels(alert: Alert) -> Mapping[str, str]:
    return {**alert.labels, "severity": alert.severity.value}


def _meets(labels: Mapping[str, str], matchers: Iterable[Matcher]) -> bool:
    return all(matcher.matches(labels) for matcher in matchers)


def _values(labels: Mapping[str, str], names: Iterable[str]) -> tuple[str, ...]:
    return tuple(labels.get(name, "") for name in names)
