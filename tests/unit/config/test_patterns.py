"""Patterns find secrets and personal data, and leave ordinary text alone."""

import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seakeeping.config.patterns import (
    BUILT_IN,
    PII,
    SECRETS,
    Finder,
    find_all,
    is_card,
    is_iban,
    is_ssn,
)

ALL = SECRETS + PII


def found(text: str) -> list[tuple[str, str]]:
    return [(name, text[start:end]) for start, end, name in find_all(text, ALL)]


@pytest.mark.parametrize(
    ("name", "secret", "text"),
    [
        ("api_key", "sk-proj-AbCdEfGhIjKlMnOpQrStUv", "use {} now"),
        ("api_key", "sk-ant-api03-AbCdEfGhIjKlMnOpQrStUv", "({})"),
        ("api_key", "sk-sea-AbCdEfGhIjKlMnOpQrStUvWxYz0123456789_-abcd", "{}"),
        ("api_key", "AIza" + "b" * 35, "key={}"),
        ("api_key", "sk_live_abcdefghijklmnop", "'{}'"),
        ("github_token", "ghp_" + "a1" * 18, "token {}"),
        ("slack_token", "xoxb-123456789012-abcdef", "{}"),
        ("aws_access_key", "AKIAIOSFODNN7EXAMPLE", "id {}."),
        (
            "aws_secret_key",
            "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            "aws_secret_access_key = {}",
        ),
        ("jwt", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc-_123", "session {} ends"),
        ("url_password", "hunter2", "postgres://bob:{}@db/x"),
        ("password", "correct-horse", 'password: "{}"'),
        ("password", "s3cr3t-value", "client_secret={}"),
        ("bearer_token", "abcdef123456", "Authorization: Bearer {}"),
        ("email", "first.last+tag@mail.example.co.uk", "write to {}, please"),
        ("phone", "+1 (415) 555-2671", "call {}"),
        ("phone", "(415) 555-2671", "call {}"),
        ("phone", "+49 30 901820 123", "Tel. {}"),
        ("credit_card", "4111 1111 1111 1111", "card {} exp"),
        ("credit_card", "5500005555555559", "{}"),
        ("iban", "DE89 3704 0044 0532 0130 00", "to {}."),
        ("iban", "GB82WEST12345698765432", "to {}"),
        ("ssn", "536-22-8726", "SSN {}"),
    ],
)
def test_each_kind_is_found_and_nothing_around_it(name: str, secret: str, text: str) -> None:
    assert found(text.format(secret)) == [(name, secret)]


def test_a_private_key_is_found_whole_even_when_cut_off() -> None:
    key = "-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc\n-----END RSA PRIVATE KEY-----"
    assert found(f"see {key} ok") == [("private_key", key)]
    assert found(f"see {key[:-20]}") == [("private_key", key[:-20])]


@pytest.mark.parametrize(
    "text",
    [
        "The task-force asked 12 questions at 10:30 on 2024-05-06 for 1,200.50 dollars.",
        "Order 4111 1111 1111 1112 has 16 digits and no card sum.",
        "trace 0af7651916cd43dd8448eb211c80319c span b7ad6b7169203331",
        "IP 192.168.100.200, version 1.2.3.4, build 1234567890123",
        "at 1700000000 and 1700000000123 and 1700000000123456",
        "SSN 000-12-3456, 666-12-3456, 900-12-3456, 123-00-4567, 123-45-0000",
        "DE00 3704 0044 0532 0130 00 is no IBAN",
        "http://example.com:8080/path@x and git@host is no address",
        "ask-me-anything-about-skiing-in-winter",
        "the password field is required; a token is a word",
        "-1234567890.5 and 555-1234",
    ],
)
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize("distance", [0, 1, 59, 60, 61, 64, 250, 1000])
def test_what_stands_far_apart_is_found_all_the_same(distance: int) -> None:
    gap = " " + "x " * distance
    secrets = ["bob@example.com", "ann@example.org", "4111 1111 1111 1111", "ghp_" + "a1" * 18]
    assert [text for _, text in found(gap.join(secrets))] == secrets


def test_keys_of_json_documents_are_seen() -> None:
    text = '{"apiKey": "abcdef-123456", "user": "u", "accessToken":"zyxwvu"}'
    assert [text for _, text in found(text)] == ["abcdef-123456", "zyxwvu"]


def test_a_text_without_anything_costs_little() -> None:
    text = "The quick brown fox jumps over 13 lazy dogs at 10:30 and pays 1,200 dollars. " * 500
    finder = Finder(ALL)
    begun = time.process_time()
    for _ in range(20):
        assert finder.find(text) == []
    per_character = (time.process_time() - begun) / 20 / len(text)
    assert per_character < 250e-9, "a look without hits must stay below the cost of storing"


def test_overlaps_become_one() -> None:
    text = "Authorization: Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc"
    hits = find_all(text, ALL)
    assert len(hits) == 1
    assert text[hits[0][0] :] == text[hits[0][0] : hits[0][1]]


def test_offsets_are_code_points() -> None:
    assert find_all("\U0001f600 bob@example.com", ALL) == [(2, 17, "email")]


def test_lower_case_that_changes_length_does_not_shift_offsets() -> None:
    text = "\u0130" * 5 + " bob@example.com"
    assert found(text) == [("email", "bob@example.com")]


@given(st.text(max_size=300), st.text(max_size=20))
def test_hits_are_in_order_apart_and_within(text: str, tail: str) -> None:
    hits = find_all(f"{text} bob@example.com {tail}", ALL)
    assert all(start < end for start, end, _ in hits)
    assert all(a[1] <= b[0] for a, b in pairwise(hits))


@pytest.mark.parametrize(
    "text",
    ["1" * 50_000, "a@" * 25_000, "://" * 20_000, "-----BEGIN PRIVATE KEY-----" * 500,
     "password=" * 6_000, "+1 " * 20_000, "eyJ" * 20_000, "A0" * 25_000, "a.b@" * 12_000],
    ids=["digits", "ats", "urls", "keys", "passwords", "phones", "jwts", "ibans", "mails"],
)  # fmt: skip
def test_hostile_text_takes_no_longer_than_its_length(text: str) -> None:
    begun = time.process_time()
    find_all(text, ALL)
    assert time.process_time() - begun < 2.0


@pytest.mark.parametrize("number", ["4111111111111111", "378282246310005", "6011111111111117"])
def test_cards_hold_to_their_sum(number: str) -> None:
    assert is_card(number)
    assert not is_card(number[:-1] + str((int(number[-1]) + 1) % 10))


def test_checks_know_their_rules() -> None:
    assert is_iban("GB82 WEST 1234 5698 7654 32")
    assert not is_iban("GB82 WEST 1234 5698 7654 33")
    assert not is_iban("GB82")
    assert is_ssn("219-09-9999")
    assert not is_card("0000000000000000")
    assert not is_card("4" * 12)


def test_names_are_unique_and_say_what_they_are() -> None:
    assert len(BUILT_IN) == len(ALL)
