"""What is new in the telemetry itself: a release, a model, a prompt that was not there before."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FirstSeen:
    """A value of a dimension that a service did not show before ``at`` (Unix seconds).

    ``previous`` is the value that its calls showed last before, ``""`` where they showed none, None
    where the service had no calls at all.
    """

    service_name: str
    dimension: str
    value: str
    at: float
    previous: str | None
