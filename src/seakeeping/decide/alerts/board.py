"""The alerts that stand, and how a look at the conditions moves them.

    nothing --holds--> pending --for as long as it must--> firing --clears--> resolved
                          `--no longer holds--> nothing

One pure function, `step`, from the alerts that stand and the conditions of this moment to the
alerts that changed. All state is in the `Alert` records themselves, so a board read back from the
ledger after a crash goes on exactly as if nothing had happened; the look that was lost is simply
looked again.

What the data cannot tell changes nothing: a firing alert goes on, and only its own clearing
condition ends it. A pending alert waits for certainty and begins anew. An alert also ends, saying
so, when its objective is deleted or decided by other rules than when it began (``held``); if the
new rules hold as well, the next look begins a new one.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from seakeeping.decide.alerts.conditions import Condition, by_fingerprint
from seakeeping.decide.alerts.rules import Ruled, RuleKind
from seakeeping.records import Alert, AlertState, Counts, Json, JsonObject
from seakeeping.records.codec import to_json

Words = Callable[[Condition], Mapping[str, str]]
"""What the annotations of an alert are made with, e.g. ``sentences.annotations``."""

DELETED = "the objective was deleted"
CHANGED = "the objective was changed"
CLEARED = "the condition holds no more"
REFRESH_S = 60.0
"""How old the words and figures of a standing alert may become."""

STANDING = (AlertState.PENDING, AlertState.FIRING)


@dataclass(frozen=True, slots=True)
class Step:
    """What one look did.

    ``changed`` are begun, refreshed and resolved alerts as they are now, ``dropped`` pending ones
    that ended before they fired.
    """

    changed: tuple[Alert, ...] = ()
    dropped: tuple[Alert, ...] = ()


def step(
    alerts: Iterable[Alert],
    conditions: Iterable[Condition],
    now: float,
    *,
    words: Words,
    held: Mapping[str, Ruled] | None = None,
) -> Step:
    """Return what changes; all other alerts stay as they are.

    Args:
        alerts: those that stand; resolved ones and those of other systems are passed over.
        conditions: of this moment; a rule without one is one that nothing is known of.
        now: Unix seconds.
        words: makes the annotations of an alert that begins or is refreshed.
        held: every objective in force by name, also those without data; None where that is not
            known now (the ledger or a file could not be read): then nothing is ended for it.
    """
    standing = {
        alert.fingerprint: alert
        for alert in alerts
        if alert.state in STANDING and alert.objective is not None
    }
    known = by_fingerprint(list(conditions))
    moved = {
        key: _moved(alert, known.get(key), now, words, held) for key, alert in standing.items()
    }
    begun = [
        _begun(condition, now, words)
        for key, condition in known.items()
        if condition.holds and key not in standing
    ]
    kept = [after for key, after in moved.items() if after not in (None, standing[key])]
    return Step(
        changed=tuple(alert for alert in [*kept, *begun] if alert is not None),
        dropped=tuple(standing[key] for key, after in moved.items() if after is None),
    )


def _moved(
    alert: Alert,
    condition: Condition | None,
    now: float,
    words: Words,
    held: Mapping[str, Ruled] | None,
) -> Alert | None:
    """Return the alert as it goes on; None where it was pending and ends."""
    if held is not None and (reason := _outdated(alert, held)):
        return resolved(alert, now, reason) if alert.state is AlertState.FIRING else None
    if condition is None or condition.definition != alert.evidence.get("definition"):
        return alert
    if alert.state is AlertState.PENDING:
        return _pending(alert, condition, now, words)
    if condition.clears:
        return resolved(alert, now, CLEARED)
    return _refreshed(alert, condition, now, words)


def _outdated(alert: Alert, held: Mapping[str, Ruled]) -> str:
    ruled = held.get(alert.objective or "")
    if ruled is None:
        return DELETED
    is_same = ruled.definition == alert.evidence.get("definition")
    is_ruled = any(rule.fingerprint == alert.fingerprint for rule in ruled.rules)
    return "" if is_same and is_ruled else CHANGED


def _begun(condition: Condition, now: float, words: Words) -> Alert:
    """Return a new alert: firing at once where a row of its rule asks for no waiting."""
    alerting = condition.objective.alerting
    since = _since(condition, MappingProxyType({}), now)
    return Alert(
        labels=condition.rule.labels,
        annotations=words(condition),
        starts_at=now,
        severity=condition.rule.severity,
        objective=condition.objective.name,
        state=AlertState.FIRING if _is_due(condition, since, now) else AlertState.PENDING,
        evidence=_evidence(condition, since),
        updated_at=now,
        targets=_targets(condition),
        when_resolved=alerting.when_resolved,
    )


def _pending(alert: Alert, condition: Condition, now: float, words: Words) -> Alert | None:
    if not condition.holds:
        return None
    since = _since(condition, _told_since(alert), now)
    evidence = _evidence(condition, since)
    if not _is_due(condition, since, now):
        return alert if evidence["since"] == alert.evidence["since"] else replace(
            alert, evidence=evidence, updated_at=now
        )  # fmt: skip
    return replace(
        alert, state=AlertState.FIRING, starts_at=now, annotations=words(condition),
        evidence=evidence, updated_at=now,
    )  # fmt: skip


def _refreshed(alert: Alert, condition: Condition, now: float, words: Words) -> Alert:
    alerting = condition.objective.alerting
    told = replace(alert, targets=_targets(condition), when_resolved=alerting.when_resolved)
    if 0 <= now - alert.updated_at < REFRESH_S:
        return told
    since = _since(condition, _told_since(alert), now)
    evidence = _evidence(condition, since or _told_since(alert))
    annotations = {**alert.annotations, **words(condition)}
    return replace(told, annotations=annotations, evidence=evidence, updated_at=now)


def resolved(alert: Alert, now: float, reason: str) -> Alert:
    """Return the alert ended, with the reason in its evidence."""
    return replace(
        alert,
        state=AlertState.RESOLVED,
        ends_at=max(now, alert.starts_at),
        updated_at=now,
        evidence={**alert.evidence, "ended": reason},
    )


def _since(condition: Condition, before: Mapping[str, float], now: float) -> dict[str, float]:
    """Return since when each row that holds has held, by the place of the row."""
    rows = [str(row) for row in condition.holding] or ["0"] * condition.holds
    return {row: min(before.get(row, now), now) for row in rows}


def _told_since(alert: Alert) -> Mapping[str, float]:
    since = alert.evidence.get("since")
    if not isinstance(since, Mapping):
        return {}
    return {row: float(at) for row, at in since.items() if isinstance(at, int | float)}


def _is_due(condition: Condition, since: Mapping[str, float], now: float) -> bool:
    burns = condition.rule.burns
    waits = {row: burns[int(row)].for_s if burns else 0.0 for row in since}
    return any(now - at >= waits[row] for row, at in since.items())


def _targets(condition: Condition) -> tuple[str, ...]:
    alerting = condition.objective.alerting
    return alerting.severity_targets.get(condition.rule.severity, alerting.targets)


def _evidence(condition: Condition, since: Mapping[str, float]) -> JsonObject:
    """Return what the alert was decided from."""
    reading, rule = condition.reading, condition.rule
    budget = reading.budget
    found: dict[str, Json] = {
        "definition": condition.definition,
        "since": dict(since),
        "budget_state": budget.state.value,
        "remaining_ratio": budget.remaining_ratio,
    }
    if rule.kind is RuleKind.BURN:
        found["rows"] = [_row(condition, row) for row in range(len(rule.burns))]
    if reading.evidence is not None:
        found["test"] = to_json(reading.evidence)
    return found


def _row(condition: Condition, row: int) -> JsonObject:
    burn = condition.rule.burns[row]
    counts = condition.reading.looks.get(burn.long_s, Counts())
    return {
        **to_json(burn), "holds": row in condition.holding,
        "valid": counts.valid, "bad": counts.bad, "bad_rows": counts.bad_rows,
    }  # fmt: skip
