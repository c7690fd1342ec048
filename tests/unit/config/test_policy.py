"""The content policy: the first rule that matches decides, and redaction is on by default."""

import pytest

from seakeeping.config import ContentPolicy
from seakeeping.config.document import parse_documents
from seakeeping.config.policy import ServiceRule, combine_policies, read_policy
from seakeeping.errors import BadResource


def policy(*texts: str) -> ContentPolicy:
    parts = []
    for text in texts:
        (value,) = parse_documents(f"kind: ContentPolicy\nversion: 1\n{text}", "p.yaml")
        parts.append(read_policy(value.section()))
    return combine_policies(parts)


def test_everything_is_stored_and_redacted_by_default() -> None:
    kept = policy()
    assert kept.for_service("shop") == "store"
    assert not kept.drops_any
    assert [name for _, _, name in kept.find("bob@example.com")] == ["email"]


def test_the_first_match_decides() -> None:
    kept = ContentPolicy(
        default="hash", services=(ServiceRule("a-b", "store"), ServiceRule("a-*", "drop"))
    )
    assert [kept.for_service(name) for name in ("a-b", "a-c", "x", None)] == [
        "store",
        "drop",
        "hash",
        "hash",
    ]
    assert kept.drops("a-c")
    assert kept.drops_any
    assert ContentPolicy(default="drop").drops(None)


def test_a_later_document_is_asked_first() -> None:
    kept = policy(
        "services: [{match: '*', policy: drop}]\ndefault: hash",
        "services: [{match: shop, policy: store}]",
    )
    assert kept.for_service("shop") == "store"
    assert kept.for_service("else") == "drop"
    assert kept.default == "hash"


def test_patterns_are_chosen_by_group_or_name() -> None:
    text = "bob@example.com AKIAIOSFODNN7EXAMPLE 536-22-8726"
    assert [n for *_, n in policy("redact: [secrets]").find(text)] == ["aws_access_key"]
    assert [n for *_, n in policy("redact: [pii]").find(text)] == ["email", "ssn"]
    assert [n for *_, n in policy("redact: [ssn, secrets, ssn]").find(text)] == [
        "aws_access_key",
        "ssn",
    ]
    assert policy("redact: []").find(text) == []


def test_own_patterns_come_on_top_and_may_name_the_part_to_mask() -> None:
    kept = policy(
        "redact: [pii]\npatterns:\n- {name: badge, pattern: 'E-\\d{4}'}\n"
        "- {name: pin, pattern: 'pin (?P<secret>\\d+)'}"
    )
    assert kept.find("E-1234 pin 99 bob@example.com") == [
        (0, 6, "badge"),
        (11, 13, "pin"),
        (14, 29, "email"),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("default: keep", "none of store, hash, drop"),
        ("redact: [emial]", "did you mean email"),
        ("services: [{match: x}]", "has no policy"),
        ("services: [{match: x, policy: drop, if: y}]", "unknown key if"),
        ("patterns: [{name: x, pattern: '('}]", "not a regular expression"),
        ("patterns: [{name: x, pattern: 'a*'}]", "matches the empty text"),
        ("serivces: []", "did you mean services"),
    ],
)
def test_a_policy_that_does_not_hold_is_refused(text: str, message: str) -> None:
    with pytest.raises(BadResource, match=message):
        policy(text)
