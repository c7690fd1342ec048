"""The two promises that every service is held to until somebody writes its own.

They are deliberately modest, so that a service which breaks them is in trouble by anybody's
measure: 99.5 % of calls without an error, 95 % of the calls that worked done within ten seconds.
"""

from seakeeping.records import Indicator, IndicatorSignal, Objective

AVAILABILITY_TARGET = 0.995
LATENCY_TARGET = 0.95
LATENCY_THRESHOLD_S = 10.0


def standard_objectives(service: str) -> tuple[Objective, Objective]:
    """Return the availability and the latency objective of a service, over 30 days."""
    availability = Objective(
        name=f"{service}/availability",
        service=service,
        indicator=Indicator(
            name="availability", valid="all calls", good="calls that ended without an error"
        ),
        target_ratio=AVAILABILITY_TARGET,
        description="Calls of the model that end without an error.",
    )
    latency = Objective(
        name=f"{service}/latency",
        service=service,
        indicator=Indicator(
            name="latency",
            valid="calls that ended without an error",
            good=f"those done within {LATENCY_THRESHOLD_S:g} s",
            signal=IndicatorSignal.LATENCY,
            threshold=LATENCY_THRESHOLD_S,
        ),
        target_ratio=LATENCY_TARGET,
        description=f"Working calls of the model that are done within {LATENCY_THRESHOLD_S:g} s.",
    )
    return availability, latency
