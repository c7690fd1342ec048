import base64
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seakeeping.decide.notify.failures import DeliveryFailed
from seakeeping.decide.notify.secrets import Mask, is_address, secret_of
from seakeeping.records import NotificationTarget, TargetKind

HOOK = "https://hooks.slack.com/services/T0123456/B0123456/abcdefghijklmnop?key=query-secret"


def target(secret_env: str | None = "KEY", url: str | None = None) -> NotificationTarget:
    return NotificationTarget("it", TargetKind.WEBHOOK, url, secret_env)


def test_a_secret_is_read_when_it_is_asked_for_without_the_newline_of_its_file() -> None:
    environ = {"KEY": "s3cr3t\n"}
    assert secret_of(target(), environ) == "s3cr3t"
    environ["KEY"] = "newer"
    assert secret_of(target(), environ) == "newer"
    assert secret_of(target(None), environ) is None


@pytest.mark.parametrize("environ", [{}, {"KEY": ""}, {"KEY": " \n"}])
def test_a_secret_that_is_not_set_names_its_variable(environ: dict[str, str]) -> None:
    with pytest.raises(DeliveryFailed, match="environment variable KEY is not set"):
        secret_of(target(), environ)


@given(st.text(st.characters(codec="ascii", categories=("L", "N", "P", "S")), min_size=8))
def test_a_secret_is_masked_however_it_is_spelt(secret: str) -> None:
    mask = Mask([target()], {"KEY": secret})
    for spelt in (secret, quote(secret, safe=""), base64.b64encode(secret.encode()).decode()):
        assert spelt not in mask(f"refused: {spelt}!")


def test_the_parts_of_a_secret_address_are_masked_but_not_its_host() -> None:
    mask = Mask([target()], {"KEY": HOOK})
    told = mask(f"hooks.slack.com: POST /services/T0123456/B0123456/abcdefghijklmnop; {HOOK}")
    assert "T0123456" not in told
    assert "abcdefghijklmnop" not in told
    assert told.startswith("hooks.slack.com: POST ")
    assert "query-secret" not in mask("key=query-secret")


def test_a_user_and_password_are_masked_each() -> None:
    mask = Mask([target()], {"KEY": "operator:pa55word"})
    assert mask("pa55word of operator") == "*** of ***"
    assert mask(base64.b64encode(b"operator:pa55word").decode()) == "***"


def test_a_password_in_an_address_is_masked() -> None:
    mask = Mask([target(None, "https://me:pa55word@example.org/x")], {})
    assert mask("no: pa55word") == "no: ***"


def test_short_parts_of_an_address_leave_other_texts_alone() -> None:
    mask = Mask([target()], {"KEY": "https://example.org/api/v1/abcdefghij"})
    assert mask("GET /api of v1") == "GET /api of v1"


def test_broken_addresses_are_no_reason_to_fail() -> None:
    mask = Mask([target(url="http://[::1"), target("OTHER")], {"KEY": "http://[::s3cr3t-part"})
    assert "s3cr3t-part" not in mask("http://[::s3cr3t-part")


def test_an_address_is_told_from_a_token() -> None:
    assert is_address(HOOK)
    assert not is_address("xoxb-1")
    assert not is_address(None)
