"""A silence: for a while, alerts that match it are shown but told to nobody."""

import re
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition on a label (Alertmanager's matcher).

    True where the label equals ``value``, or matches it as a whole where ``is_regex``; turned round
    where ``is_equal`` is False. A missing label is the empty string.
    """

    name: str
    value: str
    is_regex: bool = False
    is_equal: bool = True

    def __str__(self) -> str:
        sign = (
            ("=~" if self.is_equal else "!~") if self.is_regex else "=" if self.is_equal else "!="
        )
        value = self.value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        return f'{self.name}{sign}"{value}"'

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Tell whether the condition holds; raises re.error for a broken expression."""
        found = labels.get(self.name, "")
        holds = bool(re.fullmatch(self.value, found)) if self.is_regex else found == self.value
        return holds is self.is_equal


@dataclass(frozen=True, slots=True)
class Silence:
    """Alerts whose labels meet all ``matchers`` are told to nobody from ``starts_at`` on.

    It ends at ``ends_at``; one that is ended by hand is kept with the moment it was ended.
    """

    id: str
    matchers: tuple[Matcher, ...]
    starts_at: float
    ends_at: float
    created_by: str
    comment: str
    updated_at: float = 0.0

    def is_active(self, now: float) -> bool:
        """Tell whether it is in force."""
        return self.starts_at <= now < self.ends_at

    def silences(self, labels: Mapping[str, str]) -> bool:
        """Tell whether it applies to an alert of these labels, whenever it is in force."""
        return all(matcher.matches(labels) for matcher in self.matchers)
