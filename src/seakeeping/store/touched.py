"""What changed in the store since a moment, so that only that is counted again."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Touched:
    """The places whose rows changed, and the ``version`` to ask with the next time.

    ``version`` is microseconds of the engine's clock. ``calls`` are (service, start of five
    minutes) of model calls and their evaluations; ``metrics`` and ``measurements`` are (service,
    name, start of five minutes). ``labels``: whether any came.
    """

    version: int
    calls: frozenset[tuple[str, int]] = frozenset()
    metrics: frozenset[tuple[str, str, int]] = frozenset()
    measurements: frozenset[tuple[str, str, int]] = frozenset()
    labels: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether nothing changed."""
        return not (self.calls or self.metrics or self.measurements or self.labels)
