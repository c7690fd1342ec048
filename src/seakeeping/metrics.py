"""What Seakeeping tells about itself: every metric of ``/metrics``, in one table.

Every process of the tree counts into memory-mapped files of one folder
(``PROMETHEUS_MULTIPROC_DIR``, set by the supervisor), and the edge sums them. Names follow the
Prometheus rules: base units, ``_total`` for counters. An exception that is handled without a caller
to tell is counted here.
"""

import os
from pathlib import Path

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram, values
from prometheus_client.multiprocess import MultiProcessCollector

RECEIVED = Counter(
    "seakeeping_received_items_total", "Spans, log records and metric points accepted", ["signal"]
)
REJECTED = Counter(
    "seakeeping_rejected_items_total", "Items refused one by one, by reason", ["signal", "reason"]
)
REQUESTS = Counter(
    "seakeeping_export_requests_total",
    "Export requests by transport and status",
    ["transport", "status"],
)
REFUSED = Counter(
    "seakeeping_refused_requests_total", "Requests refused by the guard, by reason", ["reason"]
)
SPOOL_BYTES = Gauge(
    "seakeeping_spool_bytes",
    "Bytes in the spool not yet stored and scored",
    multiprocess_mode="mostrecent",
)
SPOOL_COMMIT_S = Histogram(
    "seakeeping_spool_commit_seconds", "Duration of a group commit (write and fdatasync)"
)
PIPELINE_LAG_S = Gauge(
    "seakeeping_pipeline_lag_seconds", "Age of the oldest spooled item not yet stored and scored",
    multiprocess_mode="mostrecent",
)  # fmt: skip
STORED = Counter("seakeeping_stored_rows_total", "Rows written to the store", ["table"])
EVALUATED = Counter(
    "seakeeping_evaluations_total",
    "Evaluations made, by evaluator and outcome",
    ["evaluator", "outcome"],
)
EVALUATE_S = Histogram(
    "seakeeping_evaluate_seconds", "CPU seconds of one batch of one evaluator", ["evaluator"]
)
NOTIFICATIONS = Counter(
    "seakeeping_notifications_total",
    "Attempts to deliver a notification, by kind of target and outcome",
    ["kind", "outcome"],
)
RESTARTS = Counter(
    "seakeeping_process_restarts_total", "Restarts of a part of the process tree", ["role"]
)
TICK_S = Histogram("seakeeping_controller_tick_seconds", "Duration of one look of the controller")
DECIDED_AT = Gauge(
    "seakeeping_controller_decided_timestamp_seconds", "When the controller last decided",
    multiprocess_mode="mostrecent",
)  # fmt: skip
ERRORS = Counter(
    "seakeeping_handled_errors_total", "Errors handled without a caller to tell", ["where", "error"]
)


def count_into(folder: Path) -> None:
    """Count into the folder of the tree from now on, in a process that began without it.

    Children find the variable in their environment; the supervisor makes the folder only after
    these metrics were made. Metrics with labels choose where they count on their first use.
    """
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)
    values.ValueClass = values.get_value_class()  # type: ignore[no-untyped-call]


def registry() -> CollectorRegistry:
    """Return what all processes counted; outside of a tree, what this one did."""
    summed = CollectorRegistry()
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        MultiProcessCollector(summed)  # type: ignore[no-untyped-call]
    else:
        summed.register(REGISTRY)
    return summed


def value_of(name: str) -> float | None:
    """Return the sum of a metric over all processes and labels, None where nobody counted it."""
    samples = [
        sample.value
        for family in registry().collect()
        for sample in family.samples
        if sample.name == name
    ]
    return sum(samples) if samples else None
