"""Measurements: figures over windows, replaced by newer ones of the same window and slice."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MeasurementFilter:
    """Which measurements; None asks for any.

    ``start`` and ``end`` bound the end of the window, the moment from which it can be known.
    """

    start: float | None = None
    end: float | None = None
    service_name: str | None = None
    name: str | None = None
    slice: Mapping[str, str] | None = None
