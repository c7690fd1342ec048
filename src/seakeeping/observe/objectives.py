"""The promises that every service is held to until somebody writes its own.

They are deliberately modest, so that a service which breaks them is in trouble by anybody's
measure. Those on calls are counted. Faithfulness is a detector's verdict and needs labels before it
is believed. Coverage and lag of scoring are promises about us, service by service, because an
answer that nobody judged is no good answer; the last four are about our own parts.

``"*"`` stands for every service that sends traffic. An objective that somebody wrote takes the
place of the shipped one that asks the same question of all traffic of the same service.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from seakeeping.records import Indicator, IndicatorSignal, Objective

EVERY_SERVICE = "*"
SELF = "seakeeping"
"""The service that our own gauges belong to."""

SPOOL_USED, STORE_UP, PIPELINE_LAG, CONTROLLER_LAG = (
    "seakeeping_spool_used_ratio",
    "seakeeping_store_up",
    "seakeeping_pipeline_lag_seconds",
    "seakeeping_controller_lag_seconds",
)
OUR_GAUGES = frozenset({SPOOL_USED, STORE_UP, PIPELINE_LAG, CONTROLLER_LAG})
"""Gauges that the controller writes about ourselves."""

LATENCY_THRESHOLD_S = 10.0
FIRST_TOKEN_THRESHOLD_S = 5.0
SCORING_LAG_THRESHOLD_S = 60.0
SPOOL_THRESHOLD = 0.8
PIPELINE_LAG_THRESHOLD_S = 60.0
CONTROLLER_LAG_THRESHOLD_S = 15.0


def default_objectives() -> tuple[Objective, ...]:
    """Return the shipped objectives; most are of every service (``"*"``), over 30 days."""
    return _on_calls() + _on_answers() + _on_ourselves()


def expand(objectives: Sequence[Objective], services: Iterable[str]) -> list[Objective]:
    """Return one objective for each service that ``"*"`` stands for, named ``service/name``.

    Those of named services stay as they are. A shipped objective is left out for a service of which
    a written one asks the same question of all its traffic, and any one of every service where one
    of that service and name is written. Ourselves are no service that ``"*"`` stands for.
    """
    asked = {(o.service, _question(o)) for o in objectives if not _is_shipped(o) and _is_whole(o)}
    asked_of_all = {question for service, question in asked if service == EVERY_SERVICE}
    named = {o.name for o in objectives if o.service != EVERY_SERVICE}
    found: list[Objective] = []
    seen = sorted(set(services) - {SELF, EVERY_SERVICE})
    for objective in objectives:
        question = _question(objective)
        if objective.service != EVERY_SERVICE:
            if not (_is_shipped(objective) and (objective.service, question) in asked):
                found.append(objective)
            continue
        if _is_shipped(objective) and question in asked_of_all:
            continue
        found += (
            replace(objective, name=f"{service}/{objective.name}", service=service)
            for service in seen
            if f"{service}/{objective.name}" not in named
            and not (_is_shipped(objective) and (service, question) in asked)
        )
    return found


def _is_shipped(objective: Objective) -> bool:
    return objective.source == "default"


def _is_whole(objective: Objective) -> bool:
    return not objective.indicator.where and not objective.slice_by


def _question(objective: Objective) -> tuple[IndicatorSignal, str | None]:
    return objective.indicator.signal, objective.indicator.subject


def _on_calls() -> tuple[Objective, ...]:
    worked = "calls that ended without an error"
    return (
        _of(
            Indicator(name="availability", valid="all calls", good=worked),
            0.995,
            "Calls of the model that end without an error.",
        ),
        _of(
            Indicator(
                name="latency",
                valid=worked,
                good=f"those done within {LATENCY_THRESHOLD_S:g} s",
                signal=IndicatorSignal.LATENCY,
                threshold=LATENCY_THRESHOLD_S,
            ),
            0.95,
            f"Working calls of the model that are done within {LATENCY_THRESHOLD_S:g} s.",
        ),
        _of(
            Indicator(
                name="time_to_first_token",
                valid=f"{worked} and say when the first token came",
                good=f"those with a token within {FIRST_TOKEN_THRESHOLD_S:g} s",
                signal=IndicatorSignal.TIME_TO_FIRST_TOKEN,
                threshold=FIRST_TOKEN_THRESHOLD_S,
            ),
            0.95,
            f"Streams that begin within {FIRST_TOKEN_THRESHOLD_S:g} s.",
        ),
    )


def _on_answers() -> tuple[Objective, ...]:
    return (
        _of(
            _judged("faithfulness", "unsupported", "supported by what the model was given"),
            0.90,
            "Answers whose every claim is supported by the documents or the prompt.",
        ),
        _of(
            replace(_judged("response_validity", "invalid", "whole and valid"), is_estimate=False),
            0.99,
            "Answers that are not empty, not cut off, and hold no broken JSON or tool call.",
        ),
        _of(
            Indicator(
                name="coverage",
                valid="answers that should have been scored",
                good="those that were scored",
                signal=IndicatorSignal.COVERAGE,
            ),
            0.95,
            "Answers that at least one evaluator judged.",
        ),
        _of(
            Indicator(
                name="scoring_lag",
                valid="judged answers",
                good=f"those judged within {SCORING_LAG_THRESHOLD_S:g} s",
                signal=IndicatorSignal.SCORING_LAG,
                threshold=SCORING_LAG_THRESHOLD_S,
            ),
            0.99,
            f"Answers that are judged within {SCORING_LAG_THRESHOLD_S:g} s.",
        ),
    )


def _on_ourselves() -> tuple[Objective, ...]:
    return (
        _gauge("spool", SPOOL_USED, "lte", SPOOL_THRESHOLD, 0.99, "The spool has room."),
        _gauge("store", STORE_UP, "gte", 1.0, 0.995, "The telemetry store answers."),
        _gauge(
            "pipeline-lag", PIPELINE_LAG, "lte", PIPELINE_LAG_THRESHOLD_S, 0.99,
            f"Telemetry is stored and scored within {PIPELINE_LAG_THRESHOLD_S:g} s.",
        ),
        _gauge(
            "controller-lag", CONTROLLER_LAG, "lte", CONTROLLER_LAG_THRESHOLD_S, 0.99,
            f"Alerts are decided about at least every {CONTROLLER_LAG_THRESHOLD_S:g} s.",
        ),
    )  # fmt: skip


def _of(indicator: Indicator, target_ratio: float, description: str) -> Objective:
    return Objective(
        name=indicator.name.replace("_", "-"),
        service=EVERY_SERVICE,
        indicator=indicator,
        target_ratio=target_ratio,
        description=description,
    )


def _judged(name: str, bad_label: str, good: str) -> Indicator:
    return Indicator(
        name=name,
        valid="judged answers",
        good=f"those that are {good}",
        signal=IndicatorSignal.EVALUATION,
        subject=name,
        bad_labels=(bad_label,),
        is_estimate=True,
    )


def _gauge(
    name: str, metric: str, op: str, threshold: float, target_ratio: float, description: str
) -> Objective:
    sign = {"lte": "at most", "gte": "at least"}[op]
    indicator = Indicator(
        name=name,
        valid=f"looks at {metric}",
        good=f"those that find {sign} {threshold:g}",
        signal=IndicatorSignal.METRIC,
        subject=metric,
        op=op,
        threshold=threshold,
    )
    objective = _of(indicator, target_ratio, description)
    return replace(objective, name=f"{SELF}/{name}", service=SELF)
