"""A silence: for a while, alerts that match it are shown but told to nobody."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from seakeeping.errors import BadInput
from seakeeping.records import pattern

LONGEST_VALUE = 4096
"""Characters of a value that is compared."""

_MATCHER = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_.]*)\s*(=~|!~|!=|=)\s*(.*?)\s*", re.DOTALL)
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition on a label (Alertmanager's matcher).

    True where the label equals ``value``, or matches it as a whole where ``is_regex``; turned round
    where ``is_equal`` is False. A missing label is the empty string. An expression that cannot be
    read is true of nothing, either way round.
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
        """Tell whether the condition holds."""
        found = labels.get(self.name, "")
        holds = pattern.matches(self.value, found) if self.is_regex else found == self.value
        return holds is self.is_equal

    def check(self, place: str = "") -> None:
        """Raise BadInput, at a place, for a condition that cannot be meant or is too long."""
        if not self.name:
            raise BadInput("names no label", place=place and f"{place}.name")
        at = place and f"{place}.value"
        if self.is_regex:
            pattern.check(self.value, at)
        elif len(self.value) > LONGEST_VALUE:
            raise BadInput(f"is longer than {LONGEST_VALUE} characters", place=at)


def matcher_of(text: str) -> Matcher:
    r"""Return the matcher that a text spells as Alertmanager does.

    >>> str(matcher_of('severity =~ page|ticket'))
    'severity=~"page|ticket"'

    Raises BadInput for what is no matcher, several of them, or one that ``Matcher.check`` refuses.
    """
    found = _MATCHER.fullmatch(text)
    if found is None:
        raise BadInput(f"{text!r} is no matcher", hint='e.g. service="shop" or severity!~"ticket"')
    name, sign, value = found.groups()
    if quoted := _QUOTED.fullmatch(value):
        value = re.sub(
            r"\\(.)", lambda m: "\n" if m[1] == "n" else m[1], quoted[1], flags=re.DOTALL
        )
    elif '"' in value:
        raise BadInput(f"{text!r} is no single matcher", hint='one by one, e.g. service="shop"')
    matcher = Matcher(name, value, is_regex="~" in sign, is_equal="!" not in sign)
    matcher.check()
    return matcher


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
