import pytest
from hypothesis import given
from hypothesis import strategies as st

from seakeeping.decide.notify.exchange import LONGEST_RETRY_AFTER_S, retry_after
from seakeeping.decide.notify.failures import DeliveryFailed
from seakeeping.decide.notify.headers import credentials, own_headers, signature, signed_headers
from seakeeping.records import NotificationTarget, TargetKind

# the vector that the Standard Webhooks specification's own libraries are tested with
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
KEY = "msg_p5jXN8AQM9LWM0D4loKWxJek"
BODY = b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_signature_is_that_of_standard_webhooks() -> None:
    assert signature(SECRET, KEY, 1_614_265_330, BODY) == SIGNATURE
    assert signed_headers(SECRET, KEY, 1_614_265_330.9, BODY) == {
        "webhook-id": KEY, "webhook-timestamp": "1614265330", "webhook-signature": SIGNATURE,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("secret", "key", "at", "body"),
    [(SECRET, KEY, 1_614_265_331, BODY), (SECRET, KEY + "x", 1_614_265_330, BODY),
     (SECRET, KEY, 1_614_265_330, BODY + b" "), ("plain", KEY, 1_614_265_330, BODY)],
)  # fmt: skip
def test_everything_is_covered_by_the_signature(
    secret: str, key: str, at: int, body: bytes
) -> None:
    assert signature(secret, key, at, body) != SIGNATURE


def test_a_broken_secret_is_told_without_it() -> None:
    with pytest.raises(DeliveryFailed, match="no base64") as caught:
        signature("whsec_s3cr3t!", KEY, 0, BODY)
    assert "s3cr3t" not in str(caught.value)


def test_without_a_secret_nothing_is_signed() -> None:
    assert "webhook-signature" not in signed_headers(None, KEY, 0, BODY)


def test_credentials_are_those_that_are_asked_for() -> None:
    def asked(**options: str) -> NotificationTarget:
        return NotificationTarget("it", TargetKind.WEBHOOK, options=options)

    assert credentials(asked(), "k", "bearer") == {"Authorization": "Bearer k"}
    assert credentials(asked(auth="basic"), "a:b", "hmac") == {"Authorization": "Basic YTpi"}
    assert credentials(asked(), "k", "hmac") == {}
    assert credentials(asked(auth="bearer"), None, "hmac") == {}
    with pytest.raises(DeliveryFailed, match="unknown auth 'digest'"):
        credentials(asked(auth="digest"), "k", "hmac")


def test_headers_of_the_target_are_its_options() -> None:
    assert own_headers({"header.X-A": "1", "auth": "hmac"}) == {"X-A": "1"}


@given(st.text(max_size=40), st.floats(0, 4e9))
def test_any_pause_that_is_asked_for_is_within_bounds(text: str, now: float) -> None:
    assert 0 <= retry_after({"retry-after": text}, now) <= LONGEST_RETRY_AFTER_S
