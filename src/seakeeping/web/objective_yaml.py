"""An objective as OpenSLO YAML, as a reader would write it to keep or to change it."""

from typing import Any

import yaml

from seakeeping.records import Indicator, JsonObject, Objective
from seakeeping.records.codec import to_json


def as_yaml(objective: Objective, document: JsonObject | None) -> str:
    """Return the document that holds an objective: its own, else one that says the same."""
    shown = dict(document) if document is not None else openslo(objective)
    return yaml.safe_dump(shown, sort_keys=False, allow_unicode=True, width=88)


def openslo(objective: Objective) -> dict[str, Any]:
    """Return an OpenSLO v1 document of an objective."""
    window: dict[str, Any] = {"duration": objective.window, "isRolling": objective.calendar is None}
    if objective.calendar is not None:
        window["calendar"] = {
            "startTime": objective.calendar.start_time, "timeZone": objective.calendar.time_zone,
        }  # fmt: skip
    metadata: dict[str, Any] = {"name": objective.name.replace("/", "-")}
    if objective.display_name:
        metadata["displayName"] = objective.display_name
    if objective.labels:
        metadata["labels"] = dict(objective.labels)
    promise: dict[str, Any] = {"target": objective.target_ratio}
    if objective.slice_target_ratio is not None:
        promise["timeSliceTarget"] = objective.slice_target_ratio
    return {
        "apiVersion": "openslo/v1",
        "kind": "SLO",
        "metadata": metadata,
        "spec": {
            "description": objective.description,
            "service": objective.service,
            "indicator": _indicator(objective.indicator),
            "timeWindow": [window],
            "budgetingMethod": objective.budgeting.value,
            "objectives": [promise],
        },
    }


def _indicator(indicator: Indicator) -> dict[str, Any]:
    return {
        "metadata": {"name": indicator.name.replace("_", "-")},
        "spec": {"ratioMetric": {"counter": True, "good": {"metricSource": {
            "type": "seakeeping", "spec": _spec(indicator),
        }}}},
    }  # fmt: skip


_WORDS = ("name", "valid", "good", "is_estimate", "higher_is_better")


def _spec(indicator: Indicator) -> dict[str, Any]:
    told = to_json(indicator)
    return {k: v for k, v in told.items() if k not in _WORDS and v not in (None, [], "lte")}
