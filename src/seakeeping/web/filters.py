"""The filters of lists: query parameters to what the store is asked.

A parameter has the name that people use; ``_FIELDS`` says which field of a filter it is.
"""

from collections.abc import Mapping
from typing import Any

from seakeeping.records import Traffic
from seakeeping.store.filters import EvaluationFilter, InteractionFilter
from seakeeping.web.params import MOST, Param, at, flag, limit, one_of, text

_TIME = {"type": "string", "format": "date-time"}
_TRAFFIC = tuple(word.value for word in Traffic)

PAGE = (
    Param("limit", limit, f"Size of the page, at most {MOST}; 50 where left out.",
          {"type": "integer", "minimum": 1, "maximum": MOST}),
    Param("cursor", text, "Where the page before this one ended: its `next`."),
)  # fmt: skip

SPAN_OF_TIME = (
    Param("since", at, "Only what began at or after this moment (ISO-8601 with a zone).", _TIME),
    Param("until", at, "Only what began before this moment.", _TIME),
)

INTERACTIONS = (
    Param("service", text, "Only calls of this service."),
    Param("provider", text, "Only calls to this provider."),
    Param("model", text, "Only calls that asked for this model."),
    Param("environment", text, "Only calls from this environment."),
    Param("release", text, "Only calls of this release."),
    Param("operation", text, "Only calls of this operation, e.g. `chat`."),
    Param("error", flag, "true: only calls that failed; false: only calls that did not.",
          {"type": "boolean"}),
    Param("label", text, "Only calls with an evaluation of this label, e.g. `unsupported`."),
    Param("user_id", text, "Only calls for this user."),
    Param("conversation_id", text, "Only calls of this conversation."),
    Param("traffic", one_of(*_TRAFFIC), "Only calls of this traffic.",
          {"type": "string", "enum": list(_TRAFFIC)}),
    Param("trace_id", text, "Only calls of this trace."),
    *SPAN_OF_TIME,
    *PAGE,
)  # fmt: skip

EVALUATIONS = (
    Param("service", text, "Only evaluations of this service's calls."),
    Param("name", text, "Only evaluations of this name, e.g. `faithfulness`."),
    Param("evaluator", text, "Only evaluations by this evaluator."),
    Param("label", text, "Only evaluations with this label."),
    Param("trace_id", text, "Only evaluations of this trace's calls."),
    *SPAN_OF_TIME,
    *PAGE,
)


METRIC_POINTS = (
    Param("service", text, "The service; required.", is_required=True),
    Param(
        "name", text, "The metric, e.g. `vllm:num_requests_waiting`; required.", is_required=True
    ),
    Param("since", at, "Only points at or after this moment; an hour ago where left out.", _TIME),
    Param("until", at, "Only points before this moment; now where left out.", _TIME),
    PAGE[0],
)

_FIELDS = {
    "service": "service_name", "model": "request_model", "error": "has_error", "since": "start",
    "until": "end",
}  # fmt: skip


def interaction_filter(given: Mapping[str, Any]) -> InteractionFilter:
    """Return the filter that read parameters describe."""
    return InteractionFilter(**_named(given, _FIELDS))


def evaluation_filter(given: Mapping[str, Any]) -> EvaluationFilter:
    """Return the filter that read parameters describe."""
    return EvaluationFilter(**_named(given, {**_FIELDS, "label": "score_label"}))


def _named(given: Mapping[str, Any], fields: Mapping[str, str]) -> dict[str, Any]:
    return {
        fields.get(name, name): value
        for name, value in given.items()
        if name not in ("limit", "cursor")
    }
