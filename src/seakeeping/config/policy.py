"""Which content is kept, by service, and what is masked in it: ``kind: ContentPolicy``.

``store`` keeps text with secrets and personal data masked; ``hash`` keeps only whether two texts
are equal; ``drop`` keeps no text, and takes it away before it first touches the disk. Scores,
counts and times are kept under every policy.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase

from seakeeping.config.document import Problems, Section, Value, each
from seakeeping.config.patterns import BUILT_IN, PII, SECRETS, Finder, Pattern

POLICIES = ("store", "hash", "drop")
_GROUPS = {"secrets": SECRETS, "pii": PII}


@dataclass(frozen=True, slots=True)
class ServiceRule:
    """The policy of services whose name matches a glob (``billing-*``)."""

    match: str
    policy: str


@dataclass(frozen=True, slots=True)
class ContentPolicy:
    """What to keep; the first rule that matches a service decides."""

    default: str = "store"
    services: tuple[ServiceRule, ...] = ()
    patterns: tuple[Pattern, ...] = SECRETS + PII
    _finder: Finder = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_finder", Finder(self.patterns))

    def for_service(self, name: str | None) -> str:
        """Return ``store``, ``hash`` or ``drop``."""
        for rule in self.services:
            if fnmatchcase(name or "", rule.match):
                return rule.policy
        return self.default

    def drops(self, name: str | None) -> bool:
        """Return whether the content of a service is dropped before the spool."""
        return self.for_service(name) == "drop"

    @property
    def drops_any(self) -> bool:
        """Whether the content of any service is dropped."""
        return self.default == "drop" or any(rule.policy == "drop" for rule in self.services)

    @property
    def strictest(self) -> str:
        """The policy of the service that keeps the least."""
        return max((self.default, *(rule.policy for rule in self.services)), key=POLICIES.index)

    def find(self, text: str) -> list[tuple[int, int, str]]:
        """Return every ``(start, end, pattern name)`` to mask, in code points, in order."""
        return self._finder.find(text)


@dataclass(frozen=True, slots=True)
class PolicyPart:
    """What one ``ContentPolicy`` document says; None: nothing about it."""

    default: str | None
    services: tuple[ServiceRule, ...]
    redact: tuple[Pattern, ...] | None
    patterns: tuple[Pattern, ...]


def combine_policies(parts: Sequence[PolicyPart]) -> ContentPolicy:
    """Return the policy that documents make together; in doubt the later document decides."""
    policy = ContentPolicy()
    for part in parts:
        policy = replace(
            policy,
            default=part.default or policy.default,
            services=part.services + policy.services,
            patterns=(policy.patterns if part.redact is None else part.redact) + part.patterns,
        )
    return policy


def read_policy(document: Section) -> PolicyPart:
    """Return what a ``ContentPolicy`` document says; raises BadResource."""
    problems = Problems()
    problems.tried(lambda: document.done(*_KEYS), None)
    rules = document.told("services", problems, lambda value: each(value.items(), _read_rule), [])
    patterns = document.told(
        "patterns", problems, lambda value: each(value.items(), _read_pattern), []
    )
    part = PolicyPart(
        default=document.told("default", problems, lambda value: value.choice(POLICIES), None),
        services=tuple(rules),
        redact=document.told("redact", problems, _read_names, None),
        patterns=tuple(patterns),
    )
    problems.end()
    return part


_KEYS = ("kind", "version", "name", "default", "services", "redact", "patterns")


def _read_rule(value: Value) -> ServiceRule:
    rule = value.section()
    rule.done("match", "policy")
    return ServiceRule(rule.need("match").text(), rule.need("policy").choice(POLICIES))


def _read_names(value: Value) -> tuple[Pattern, ...]:
    """Return the built-in patterns by name; ``secrets`` and ``pii`` name whole groups."""
    names = each(value.items(), lambda item: item.choice((*_GROUPS, *BUILT_IN)))
    found = [pattern for name in names for pattern in _GROUPS.get(name) or (BUILT_IN[name],)]
    return tuple(dict.fromkeys(found))


def _read_pattern(value: Value) -> Pattern:
    row = value.section()
    row.done("name", "pattern")
    pattern = row.need("pattern")
    try:
        regex = re.compile(pattern.text())
    except re.error as error:
        pattern.fail(f"is not a regular expression: {error}")
    if regex.match(""):
        pattern.fail("matches the empty text, so it would be everywhere")
    return Pattern(row.need("name").text(), regex)
