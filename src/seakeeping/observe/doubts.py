"""What is doubtful about an objective that holds: it is in force, and may promise nothing.

An evaluation that nobody makes, a verdict that no result carries, a threshold that no value can
miss: each gives a budget that is empty or full for ever, with no error anywhere. So they are told
where the objective is written (``check``, the answer of the API) and where it is read (the note of
its budget, its page). Names are held against what telemetry showed, where that is known; else only
against what is known without any.
"""

import difflib
import math
from collections.abc import Collection, Iterable, Iterator
from functools import lru_cache

from seakeeping.config import Finding
from seakeeping.config.openslo import Written
from seakeeping.observe.objectives import EVERY_SERVICE, OUR_GAUGES, SELF
from seakeeping.records import EVALUATION_KINDS, Indicator, IndicatorSignal, Objective
from seakeeping.records.names import Names
from seakeeping.stats.burn import alert_doubts

Doubt = tuple[str, str]
"""What is doubtful, and what may have been meant."""

_FAMILY = ("_count", "_bucket", "_sum", "_total")
"""What PromQL and OpenTelemetry add to the name of a metric."""

_DURATIONS = frozenset({
    IndicatorSignal.LATENCY, IndicatorSignal.TIME_TO_FIRST_TOKEN,
    IndicatorSignal.TIME_PER_OUTPUT_TOKEN, IndicatorSignal.SCORING_LAG,
})  # fmt: skip


def findings_of(
    written: Iterable[Written], names: Names | None = None, installed: Collection[str] = ()
) -> list[Finding]:
    """Return the doubts about objectives as warnings with their places, impossible alerts too.

    Args:
        written: objectives with their places.
        names: what telemetry showed; None where nobody knows.
        installed: evaluators that are installed, beside those that everybody knows.
    """
    found: list[Finding] = []
    for one in written:
        for alert, sentence in alert_doubts(one.objective):
            place = one.alert_places.get(alert, one.place) if alert else one.place
            found.append(Finding(place, sentence, is_warning=True))
        found += [
            Finding(one.place, message, hint, is_warning=True)
            for message, hint in doubts_of(one.objective, names, installed)
        ]
    return found


def doubts_of(
    objective: Objective, names: Names | None = None, installed: Collection[str] = ()
) -> Iterator[Doubt]:
    """Yield what is doubtful about the names, verdicts and threshold of an objective."""
    indicator = objective.indicator
    yield from _threshold(indicator)
    if names is not None:
        yield from _service(objective.service, names)
    yield from _evaluation(indicator, names, installed)
    if names is not None and indicator.signal is IndicatorSignal.MEASUREMENT:
        yield from _seen("measurement", indicator.subject or "", names.measurements)
    for metric in _metrics(indicator):
        if names is not None:
            yield from _metric(metric, names.metrics)


def note_of(indicator: Indicator, *, has_data: bool) -> str:
    """Return in words what is doubtful about an indicator, as far as it is known without a store.

    Empty where nothing is. An unknown name is doubtful only while no data comes under it.
    """
    return _note(
        indicator.signal, indicator.subject, indicator.bad_labels, indicator.op,
        indicator.threshold, has_data,
    )  # fmt: skip


@lru_cache(maxsize=4096)
def _note(
    signal: IndicatorSignal, subject: str | None, bad_labels: tuple[str, ...], op: str,
    threshold: float | None, has_data: bool,
) -> str:  # fmt: skip
    indicator = Indicator(
        "", "", "", signal=signal, subject=subject, bad_labels=bad_labels, op=op,
        threshold=threshold,
    )  # fmt: skip
    found = [*_threshold(indicator), *_verdicts(indicator, ())]
    if not has_data and signal is IndicatorSignal.EVALUATION:
        found += _unmade(subject or "", EVALUATION_KINDS)
    return " ".join(_sentence(*doubt) for doubt in found)


def _sentence(message: str, hint: str) -> str:
    text = f"{message[:1].upper()}{message[1:]}"
    return f"{text} ({hint})." if hint else f"{text}."


def _threshold(indicator: Indicator) -> Iterator[Doubt]:
    """Yield that every event is good, or bad, whatever happens."""
    limit = indicator.threshold
    if limit is None:
        return
    low, high = _range(indicator)
    below, above = {  # whether every value is below the limit, or above it
        "lte": (high <= limit, low > limit),
        "lt": (high < limit, low >= limit),
        "gte": (high < limit, low >= limit),
        "gt": (high <= limit, low > limit),
    }[indicator.op]
    if below or above:
        is_good = below == (indicator.op in ("lt", "lte"))
        name = indicator.subject or indicator.signal.value
        least = "above 0" if low == math.ulp(0.0) else f"at least {low:g}"
        side = f"at most {high:g}" if below else least
        yield (
            f"a threshold of {limit:g} makes every event {'good' if is_good else 'bad'}",
            f"{name} is always {side}",
        )


def _range(indicator: Indicator) -> tuple[float, float]:
    """Return the lowest and highest value that an indicator's events can have."""
    if indicator.signal in _DURATIONS:
        return math.ulp(0.0), math.inf  # nothing takes no time at all
    if indicator.signal is IndicatorSignal.COST:
        return 0.0, math.inf
    kind = EVALUATION_KINDS.get(indicator.subject or "")
    if indicator.signal is IndicatorSignal.EVALUATION and kind is not None:
        return kind.low, kind.high
    return -math.inf, math.inf


def _service(service: str, names: Names) -> Iterator[Doubt]:
    if service in (EVERY_SERVICE, SELF) or service in names.services:
        return
    yield f"no service {service!r} has sent anything lately", _near(service, names.services)


def _evaluation(
    indicator: Indicator, names: Names | None, installed: Collection[str]
) -> Iterator[Doubt]:
    if indicator.signal is not IndicatorSignal.EVALUATION:
        return
    seen = names.evaluations if names is not None else {}
    subject = indicator.subject or ""
    yield from _verdicts(indicator, seen.get(subject, ()))
    if subject not in seen:
        yield from _unmade(subject, {*EVALUATION_KINDS, *installed, *seen})


def _unmade(subject: str, known: Collection[str]) -> Iterator[Doubt]:
    if subject not in known:
        message = f"no evaluator here makes {subject}: its results have to come with the telemetry"
        yield message, _near(subject, known)


def _verdicts(indicator: Indicator, seen: Collection[str]) -> Iterator[Doubt]:
    """Yield the labels that no result of an evaluation carries."""
    kind = EVALUATION_KINDS.get(indicator.subject or "")
    known = {*seen, *((kind.good_label, kind.bad_label) if kind else ())}
    if indicator.signal is not IndicatorSignal.EVALUATION or not known:
        return
    for label in indicator.bad_labels:
        if label not in known:
            yield f"no result of {indicator.subject} is labelled {label}", _near(label, known)


def _metrics(indicator: Indicator) -> Iterator[str]:
    if indicator.signal is IndicatorSignal.METRIC:
        yield indicator.subject or ""
    counters = (indicator.bad, indicator.good_of, indicator.total)
    yield from dict.fromkeys(one.name for one in counters if one is not None)


def _metric(metric: str, seen: Collection[str]) -> Iterator[Doubt]:
    bare = {metric.removesuffix(ending) for ending in _FAMILY}
    longer = {f"{metric}{ending}" for ending in _FAMILY}
    if metric not in OUR_GAUGES and not {metric, *bare, *longer} & set(seen):
        yield from _seen("metric", metric, seen)


def _seen(what: str, name: str, seen: Collection[str]) -> Iterator[Doubt]:
    if name not in seen:
        yield f"no {what} {name} has come lately", _near(name, seen)


_MOST_TOLD = 12
"""Names that a hint lists where none is near."""


def _near(name: str, known: Collection[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    if close:
        return f"did you mean {close[0]}?"
    listed = sorted(known)
    more = f" and {len(listed) - _MOST_TOLD} more" if len(listed) > _MOST_TOLD else ""
    return f"there are {', '.join(listed[:_MOST_TOLD])}{more}" if listed else "nothing has"
