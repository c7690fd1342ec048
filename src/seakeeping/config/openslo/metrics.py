"""Queries of Prometheus rules, read for points that reach us without Prometheus between.

``job`` is a label that Prometheus adds when it scrapes; OpenTelemetry says it as the service's
name. So a query on ``job="web"`` counts points of the service ``web``, and the label is gone.
"""

from dataclasses import dataclass, replace

from seakeeping.config.document import Value
from seakeeping.config.openslo.promql import Counted, NotPlain, read_counted
from seakeeping.records import MetricSelector

JOB = "job"


@dataclass(slots=True)
class JobOf:
    """The job that all queries of one SLO name; empty where they name none."""

    at: Value
    name: str = ""
    is_known: bool = False

    def take(self, selector: MetricSelector, value: Value) -> MetricSelector:
        """Return the selector without its job; raises BadResource for a second or an odd one."""
        jobs = [match for match in selector.where if match.dimension == JOB]
        names = {text for match in jobs for text in match.values}
        if any(not match.is_in or match.is_pattern for match in jobs) or len(names) > 1:
            value.fail("names several jobs", 'one service counts: job="NAME"')
        name = names.pop() if names else ""
        if self.is_known and name != self.name:
            value.fail(f"counts another job than the other query ({name!r}, {self.name!r})")
        self.name, self.is_known = name, True
        return replace(selector, where=tuple(m for m in selector.where if m.dimension != JOB))


def read_query(value: Value, job: JobOf) -> Counted:
    """Return what a query counts, its job told to ``job``; raises BadResource."""
    try:
        counted = read_counted(value.text())
    except NotPlain as refused:
        value.fail(
            f"this query cannot be read: it {refused}",
            "read is: sum(rate(NAME{LABEL=VALUE}[{{.window}}])), or a difference of two of them",
        )
    minus = job.take(counted.minus, value) if counted.minus else None
    return Counted(job.take(counted.plus, value), minus)
