"""How an objective is called in Prometheus: Sloth's labels, which its dashboards select by.

``sloth_id`` is ``SERVICE-SLO``. An objective that came from a Sloth file keeps the two names that
it had there; every other one has its service and its name without the service before it.
"""

import re
from collections.abc import Mapping

from seakeeping.records import Objective

VALID_TOTAL, BAD_TOTAL = "seakeeping_slo_valid_events_total", "seakeeping_slo_bad_events_total"
FLAGGED_TOTAL = "seakeeping_slo_flagged_events_total"
"""Our counters of the events of every objective, labelled by `slo_labels`."""

_LABEL = re.compile(r"(?!__)[a-zA-Z_][a-zA-Z0-9_]*")
_SERVICE, _SLO = "sloth_service", "sloth_slo"


def slo_labels(objective: Objective) -> dict[str, str]:
    """Return ``sloth_id``, ``sloth_service`` and ``sloth_slo``."""
    service = objective.labels.get(_SERVICE) or objective.service
    slo = objective.labels.get(_SLO) or objective.name.removeprefix(f"{objective.service}/")
    return {"sloth_id": f"{service}-{slo}", _SERVICE: service, _SLO: slo}


def own_labels(objective: Objective) -> Mapping[str, str]:
    """Return the labels that somebody wrote, as far as Prometheus can name them."""
    return {
        name: text
        for name, text in objective.labels.items()
        if name not in (_SERVICE, _SLO) and _LABEL.fullmatch(name)
    }
