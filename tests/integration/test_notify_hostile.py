"""Receivers that hang, drip, redirect, rage and echo: bounded, told in words, and nothing leaks."""

import logging
import threading
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.receivers.hostile import (
    Misbehave,
    drip,
    drip_body,
    drip_greeting,
    hang,
    hostile_server,
    pour,
    reset,
    saying,
)
from tests.receivers.http import Receiver, Reply, json_reply
from tests.receivers.samples import Rig, a_message, an_alert
from tests.receivers.tls import make_certificate
from tests.receivers.webhooks import WebhookReceiver

from seakeeping.decide.notify.exchange import LONGEST_RETRY_AFTER_S
from seakeeping.records import NotificationTarget, TargetKind
from seakeeping.store.ledger.outbox import DeliveryState

SECRET = "xoxb-s3cr3t+t0ken/with=signs"


def webhook(url: str, **options: str) -> NotificationTarget:
    return NotificationTarget("it", TargetKind.WEBHOOK, url, None, options)


@pytest.mark.parametrize(
    ("misbehave", "told"),
    [
        (hang, "no answer within 1 s"),
        (drip, "no answer within 1 s"),
        (drip_body, "no answer within 1 s"),
        (reset, "Connection reset by peer"),
        (saying(b""), "RemoteDisconnected"),
        (saying(b"\x16\x03\x01 garbage\r\n\r\n"), "BadStatusLine"),
        (saying(b"HTTP/1.1 999999 Odd\r\n\r\n"), "BadStatusLine"),
        (saying(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 20_000 + b"\r\n"), "HTTPException"),
        (saying(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n"), "LineTooLong"),
        (saying(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"), "ProtocolError"),
    ],
)
def test_a_receiver_that_makes_no_sense_is_bounded_and_told(
    misbehave: Misbehave, told: str
) -> None:
    began = time.monotonic()
    with hostile_server(misbehave) as place:
        rig = Rig(webhook(f"http://{place}"), timeout_s=1)
        rig.send(a_message())
        took_s = time.monotonic() - began
        assert rig.states == [DeliveryState.WAITING]
        assert told in rig.error
    assert took_s < 10


def test_an_answer_without_an_end_is_read_up_to_a_limit() -> None:
    with hostile_server(pour) as place:
        rig = Rig(webhook(f"http://{place}"), timeout_s=20)
        rig.send(a_message())
        assert rig.states == [DeliveryState.DELIVERED]


def test_a_mail_server_that_drips_is_cut_off() -> None:
    began = time.monotonic()
    with hostile_server(drip_greeting) as place:
        target = NotificationTarget(
            "it", TargetKind.EMAIL, f"smtp://{place}", options={"to": "a@example.org"}
        )
        rig = Rig(target, timeout_s=0.2)
        rig.send(a_message())
        assert rig.error == "127.0.0.1: took too long"
    assert time.monotonic() - began < 5


def test_a_target_that_hangs_holds_up_no_other() -> None:
    with hostile_server(hang) as place, WebhookReceiver() as receiver:
        rig = Rig(
            NotificationTarget("slow", TargetKind.WEBHOOK, f"http://{place}"),
            NotificationTarget("it", TargetKind.WEBHOOK, receiver.url),
            timeout_s=2,
        )
        rig.outbox.put(a_message(target="slow"), a_message())
        began = time.monotonic()
        rig.courier.deliver_due(patience_s=0.5)
        rig.outbox.put(a_message(sequence=2))
        rig.courier.deliver_due(patience_s=0.5)
        assert time.monotonic() - began < 1.9
        assert len(receiver.acted) == 2
        rig.courier.deliver_due()


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (200, DeliveryState.DELIVERED), (202, DeliveryState.DELIVERED),
        (204, DeliveryState.DELIVERED), (300, DeliveryState.WAITING),
        (304, DeliveryState.WAITING), (400, DeliveryState.FAILED), (401, DeliveryState.WAITING),
        (403, DeliveryState.WAITING), (404, DeliveryState.WAITING), (405, DeliveryState.FAILED),
        (408, DeliveryState.WAITING), (413, DeliveryState.FAILED), (422, DeliveryState.FAILED),
        (429, DeliveryState.WAITING), (500, DeliveryState.WAITING), (503, DeliveryState.WAITING),
        (599, DeliveryState.WAITING),
    ],
)  # fmt: skip
def test_only_what_is_wrong_with_the_message_is_final(status: int, state: DeliveryState) -> None:
    with Receiver() as receiver:
        receiver.disturb = lambda request: Reply(status, b"" if status in (204, 304) else b"so")
        rig = Rig(webhook(receiver.url))
        rig.send(a_message())
    assert rig.states == [state]


@pytest.mark.parametrize(
    ("header", "wait_s"),
    [("40", 40), ("0", 0), ("999999999", LONGEST_RETRY_AFTER_S), ("-5", 0), ("soon", 0),
     ("Mon, 21 Sep 2026 14:14:20 GMT", 60), ("Mon, 21 Sep 2016 14:14:20 GMT", 0), ("²", 0),
     ("Mon, 99 Sep 2026 99:14:20 GMT", 0)],
)  # fmt: skip
def test_a_pause_that_is_asked_for_is_kept_up_to_a_limit(header: str, wait_s: float) -> None:
    with Receiver() as receiver:
        receiver.disturb = lambda request: Reply(
            503, b"", {"Retry-After": header.encode().decode("latin-1")}
        )
        rig = Rig(webhook(receiver.url))
        rig.send(a_message())
    due_in_s = rig.outbox.deliveries()[0].due_at - rig.clock.at
    assert due_in_s == (wait_s if wait_s > 2 else pytest.approx(1.5, abs=0.5))


# redirects


def test_a_redirect_on_the_same_host_is_followed_with_the_same_message() -> None:
    with WebhookReceiver() as receiver:
        receiver.disturb = lambda request: (
            Reply(308, b"", {"Location": "/new"}) if request.path == "/old" else None
        )
        rig = Rig(webhook(f"{receiver.url}/old"))
        rig.send(a_message())
        assert rig.states == [DeliveryState.DELIVERED]
    first, second = receiver.requests
    assert (second.path, second.body) == ("/new", first.body)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_elsewhere_is_not_followed(status: int) -> None:
    with WebhookReceiver() as other, Receiver() as receiver:
        place = f"{other.url}/{SECRET}"
        receiver.disturb = lambda request: Reply(status, b"", {"Location": place})
        rig = Rig(
            NotificationTarget("it", TargetKind.WEBHOOK, receiver.url, "KEY", {"auth": "bearer"}),
            environ={"KEY": SECRET},
        )
        rig.send(a_message())
        assert rig.states == [DeliveryState.WAITING]
        assert SECRET not in rig.error
    assert other.requests == []


@pytest.mark.parametrize(
    "location", ["", "http://[", "//user:pass@127.0.0.1/", "file:///etc/passwd", "https:///"]
)
def test_a_redirect_to_nowhere_is_told(location: str) -> None:
    with Receiver() as receiver:
        receiver.disturb = lambda request: Reply(307, b"", {"Location": location})
        rig = Rig(webhook(receiver.url))
        rig.send(a_message())
    assert rig.states == [DeliveryState.WAITING]
    assert "redirects" in rig.error


# encryption


def test_a_certificate_counts_only_where_it_is_trusted_and_bears_the_name(tmp_path: Path) -> None:
    good = make_certificate(tmp_path)
    with Receiver(good.server_context()) as receiver:
        trusting = Rig(webhook(receiver.url, ca_file=str(good.chain)))
        trusting.send(a_message())
        assert trusting.states == [DeliveryState.DELIVERED], trusting.error
        strict = Rig(webhook(receiver.url))
        strict.send(a_message())
        assert strict.error == "127.0.0.1: TLS failed: CERTIFICATE_VERIFY_FAILED"
        assert len(receiver.requests) == 1
    (tmp_path / "other").mkdir()
    other = make_certificate(tmp_path / "other", name="DNS:other.example")
    with Receiver(other.server_context()) as receiver:
        rig = Rig(webhook(receiver.url, ca_file=str(other.chain)))
        rig.send(a_message())
        assert rig.error == "127.0.0.1: TLS failed: CERTIFICATE_VERIFY_FAILED"
        assert receiver.requests == []


def test_a_file_of_certificates_that_is_missing_is_told() -> None:
    rig = Rig(webhook("https://127.0.0.1:1", ca_file="/nowhere.pem"))
    rig.send(a_message())
    assert rig.error.startswith("the certificates of ca_file cannot be read")


# secrets


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        (TargetKind.WEBHOOK, {}), (TargetKind.WEBHOOK, {"auth": "bearer"}),
        (TargetKind.WEBHOOK, {"auth": "basic"}), (TargetKind.CLOUDEVENTS, {}),
        (TargetKind.SLACK, {"channel": "C0123456789"}), (TargetKind.ALERTMANAGER, {}),
        (TargetKind.ALERTMANAGER, {"auth": "basic"}),
    ],
)  # fmt: skip
def test_a_receiver_that_echoes_everything_reveals_nothing(
    kind: TargetKind, options: Mapping[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with Receiver() as receiver:

        def echo(request: object) -> Reply:
            seen = receiver.requests[-1]
            told = f"{SECRET} {seen.path} {dict(seen.headers)}".encode()
            if kind is TargetKind.SLACK:
                return json_reply(ok=False, error=told.decode())
            return Reply(500, told)

        receiver.disturb = echo
        target = NotificationTarget("it", kind, receiver.url, "KEY", options)
        rig = Rig(target, environ={"KEY": SECRET})
        rig.send(a_message())
        assert receiver.requests
    assert rig.error
    assert_nothing_leaked(rig, caplog)


def test_a_secret_address_is_in_no_error(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    secret = "http://127.0.0.1:1/services/T0000/B0000/" + "s3cr3t-t0ken"
    for kind in (TargetKind.WEBHOOK, TargetKind.SLACK, TargetKind.CLOUDEVENTS):
        rig = Rig(NotificationTarget("it", kind, None, "KEY"), environ={"KEY": secret})
        rig.send(a_message())
        assert rig.error == "127.0.0.1: Connection refused"
        assert_nothing_leaked(rig, caplog)


@pytest.mark.parametrize("secret", ["sécret-s3cr3t-t0ken", "s3cr3t\nt0ken", "  "])
def test_a_secret_that_no_header_carries_is_told_by_its_name(secret: str) -> None:
    rig = Rig(
        NotificationTarget("it", TargetKind.WEBHOOK, "http://127.0.0.1:1", "KEY",
                           {"auth": "bearer"}),
        environ={"KEY": secret},
    )  # fmt: skip
    rig.send(a_message())
    assert rig.error.startswith("the environment variable KEY")
    assert "t0ken" not in rig.error


@pytest.mark.parametrize(
    "url",
    ["http://user:s3cr3t-t0ken@127.0.0.1:1/", "ftp://127.0.0.1", "127.0.0.1", "http://[::1", "",
     "http://127.0.0.1:99999", "http://a b/", "http://127.0.0.1:1/\x00", "http://\udcff/"],
)  # fmt: skip
def test_an_address_that_is_none_is_told(url: str) -> None:
    rig = Rig(webhook(url))
    rig.send(a_message())
    assert rig.states == [DeliveryState.WAITING]
    assert rig.error
    assert "s3cr3t" not in rig.error


def test_a_header_that_cannot_be_sent_is_told_without_it() -> None:
    rig = Rig(webhook("http://127.0.0.1:1", **{"header.X-Key": "s3cr3t\r\nt0ken"}))
    rig.send(a_message())
    assert rig.states == [DeliveryState.WAITING]
    assert "s3cr3t" not in rig.error


def assert_nothing_leaked(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    ledger = "\n".join(
        str(row) for table in ("outbox", "audit", "meta") for row in rows_of(rig, table)
    )
    for text in (caplog.text, rig.error, ledger):
        assert "s3cr3t" not in text
        assert "czNjcjN0" not in text  # its base64
        assert "eG94Yi1zM2NyM3Q" not in text


def rows_of(rig: Rig, table: str) -> list[object]:
    with rig.ledger.transaction() as connection:
        return list(connection.exec_driver_sql(f"SELECT * FROM {table}"))


# content


@pytest.mark.parametrize(
    "text", ["\0", "\ud800\udc00\ud800", "x" * 5_000_000, "\u202etxt.exe", "\x1b[2J", "\x85"]
)
def test_hostile_texts_reach_the_receiver_tamed(text: str) -> None:
    with WebhookReceiver() as receiver:
        rig = Rig(webhook(receiver.url))
        rig.send(a_message([an_alert(annotations={"summary": text, text[:99]: "x"})]))
        assert rig.states == [DeliveryState.DELIVERED], rig.error
    summary = receiver.requests[0].json["alerts"][0]["annotations"].get("summary", "")
    assert len(summary) <= 4000
    assert not set(summary) & {"\0", "\x1b", "\x85", "\u202e"}


def test_many_threads_and_a_flood_of_messages_arrive_once_and_in_order() -> None:
    with WebhookReceiver() as receiver:
        rig = Rig(webhook(receiver.url, per_minute="600000"))
        for sequence in range(5):
            rig.outbox.put(*(a_message(group_key=f"g{i}", sequence=sequence) for i in range(20)))
        rounds = [threading.Thread(target=rig.courier.deliver_due) for _ in range(4)]
        for thread in rounds:
            thread.start()
        for thread in rounds:
            thread.join()
        rig.courier.deliver_due()
    assert len(receiver.deliveries) == len(receiver.acted) == 100
    for i in range(20):
        order = [key for key in receiver.deliveries if f"/g{i}/" in key]
        assert order == sorted(order)
