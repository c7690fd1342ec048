"""The names that telemetry showed: what an objective can be about, and was perhaps misspelt from.

A name that nobody uses is no error, since its telemetry may begin tomorrow; but whoever writes it
has to hear of it today.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Names:
    """Names seen in the last 30 days, metrics in the last day; each sorted.

    ``evaluations`` map a name to the labels that its results carried. ``services`` sent calls or
    metrics.
    """

    services: tuple[str, ...] = ()
    evaluations: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    measurements: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
