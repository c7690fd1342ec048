"""A figure over a window that is no count of events: a drift, a gap, a prevalence."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Measurement:
    """One figure of one slice of one service, over ``window_s`` seconds from ``window_start``.

    ``slice`` maps dimensions to values, empty for the whole service. ``low`` and ``high`` bound
    ``value``; ``n`` events are behind it. ``reference`` says what it is compared with, ``method``
    how it was made, ``verdict`` what follows (``""`` where nothing does). A newer one of the same
    service, name, slice and window replaces the older.
    """

    service_name: str
    name: str
    window_start: float
    window_s: float
    value: float | None
    low: float | None = None
    high: float | None = None
    n: int = 0
    effect: float | None = None
    reference: str = ""
    method: str = ""
    verdict: str = ""
    slice: Mapping[str, str] = field(default_factory=dict)
