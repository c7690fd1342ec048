"""E-mail to a real SMTP server, and the long tail through Apprise to real servers."""

import logging
from collections.abc import Iterator

import pytest
from tests.receivers.http import Receiver, Reply
from tests.receivers.mail import MailReceiver, mail_server
from tests.receivers.samples import Rig, a_change, a_message, a_resolution, an_alert
from tests.receivers.tls import Certificate, make_certificate

from seakeeping.records import NotificationTarget, TargetKind
from seakeeping.store.ledger.outbox import DeliveryState

# a part of Apprise that is not ours to mend, on its first use
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

TO = "ann@example.org, bob@example.org"


@pytest.fixture
def server() -> Iterator[MailReceiver]:
    with mail_server(MailReceiver()) as receiver:
        yield receiver


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("tls"))


def target(server: MailReceiver, **options: str) -> NotificationTarget:
    return NotificationTarget(
        "it", TargetKind.EMAIL, server.url, "SMTP_PASSWORD" if "user" in options else None,
        {"to": TO, "from": "Seakeeping <sea@example.org>", **options},
    )  # fmt: skip


def test_a_mail_says_what_it_is_about_and_threads_by_group(server: MailReceiver) -> None:
    rig = Rig(target(server))
    rig.send(a_message(), a_resolution())
    rig.send(a_change())
    assert rig.states == [DeliveryState.DELIVERED] * 3
    firing, resolved, change = (mail for _, mail in server.mails)
    assert firing["Subject"] == "[FIRING 1] ErrorBudgetBurn: bot / availability (page)"
    assert "Every third answer fails." in firing.get_content()
    assert "https://sea.example.org/objectives/bot/availability" in firing.get_content()
    assert firing["References"] == resolved["References"] != change["References"]
    assert firing["Message-ID"] != resolved["Message-ID"]
    assert server.mails[0][0] == ["ann@example.org", "bob@example.org"]


@pytest.mark.parametrize("to", ["a@b.c d@e.f", "a@b.c;d@e.f", " a@b.c ,, d@e.f,"])
def test_recipients_stand_in_a_row(server: MailReceiver, to: str) -> None:
    Rig(target(server, to=to)).send(a_message())
    assert server.readers == ["a@b.c", "d@e.f"]


def test_a_mail_that_is_sent_twice_is_the_same_mail(server: MailReceiver) -> None:
    first, second = Rig(target(server)), Rig(target(server))
    for rig in (first, second):
        rig.send(a_message())
    one, other = (mail for _, mail in server.mails)
    assert one["Message-ID"] == other["Message-ID"]


@pytest.mark.parametrize(
    "text",
    ["Größe ✓ \U0001f6a8", "a\r\nBcc: eve@example.org", "\n.\n.\r\nQUIT", "\0\ud800", "x" * 50_000],
    ids=["unicode", "header", "dots", "odd", "long"],
)
def test_any_text_is_one_whole_mail(server: MailReceiver, text: str) -> None:
    rig = Rig(target(server))
    alert = an_alert(annotations={"summary": text}, labels={"alertname": text})
    rig.send(a_message([alert], group_key=text))
    assert rig.states == [DeliveryState.DELIVERED], rig.error
    ((recipients, mail),) = server.mails
    assert recipients == ["ann@example.org", "bob@example.org"]
    assert mail["Bcc"] is None
    assert not mail.defects


def test_who_took_a_mail_does_not_get_it_again(server: MailReceiver) -> None:
    rig = Rig(target(server))
    server.refusals["bob@example.org"] = "451 try again later"
    rig.send(a_message())
    assert rig.states == [DeliveryState.WAITING]
    assert rig.error == "bob@example.org was refused with 451"
    server.refusals.clear()
    rig.clock.at += 600
    rig.courier.deliver_due()
    assert rig.states == [DeliveryState.DELIVERED]
    assert server.readers == ["ann@example.org", "bob@example.org"]


def test_an_address_that_is_no_more_does_not_keep_the_others_waiting(server: MailReceiver) -> None:
    rig = Rig(target(server))
    server.refusals["bob@example.org"] = "550 no such user"
    rig.send(a_message())
    assert rig.states == [DeliveryState.DELIVERED]
    assert rig.outbox.deliveries()[0].receipt == {"refused": ["bob@example.org"]}


@pytest.mark.parametrize(
    ("answer", "state"),
    [("550 no such user", DeliveryState.FAILED), ("450 busy", DeliveryState.WAITING)],
)
def test_when_all_are_refused_the_reason_decides(
    server: MailReceiver, answer: str, state: DeliveryState
) -> None:
    rig = Rig(target(server))
    server.refusals |= {address: answer for address in TO.split(", ")}
    rig.send(a_message())
    assert rig.states == [state]


@pytest.mark.parametrize(
    ("answer", "state"),
    [("554 spam", DeliveryState.FAILED), ("452 full", DeliveryState.WAITING)],
)
def test_a_mail_that_is_refused_as_such_is_given_up(
    server: MailReceiver, answer: str, state: DeliveryState
) -> None:
    server.data_answer = answer
    rig = Rig(target(server))
    rig.send(a_message())
    assert rig.states == [state]
    assert rig.error == f"127.0.0.1 answered {answer[:3]} (SMTPDataError)"


def test_a_server_that_is_away_is_waited_for(server: MailReceiver) -> None:
    gone = NotificationTarget("it", TargetKind.EMAIL, "smtp://127.0.0.1:1", options={"to": TO})
    rig = Rig(gone)
    rig.send(a_message())
    assert (rig.states, rig.error) == (
        [DeliveryState.WAITING], "127.0.0.1: Connection refused",
    )  # fmt: skip


def test_a_password_travels_encrypted_only(certificate: Certificate) -> None:
    chain, context = certificate.chain, certificate.server_context()
    receiver = MailReceiver()
    receiver.users["sea"] = "s3cret-pass"
    with mail_server(receiver, tls=context, is_login_required=True):
        rig = Rig(
            target(receiver, user="sea", tls="starttls", ca_file=str(chain)),
            environ={"SMTP_PASSWORD": "s3cret-pass"},
        )
        rig.send(a_message())
        assert rig.states == [DeliveryState.DELIVERED], rig.error
        stranger = Rig(
            target(receiver, user="sea", tls="starttls"), environ={"SMTP_PASSWORD": "s3cret-pass"}
        )
        stranger.send(a_message())
        assert "TLS" in stranger.error or "certificate" in stranger.error.lower()


def test_a_wrong_password_waits_for_somebody_to_mend_it(certificate: Certificate) -> None:
    context = certificate.server_context()
    receiver = MailReceiver()
    with mail_server(receiver, tls=context, is_login_required=True):
        rig = Rig(
            target(receiver, user="sea", tls="starttls", ca_file=str(certificate.chain)),
            environ={"SMTP_PASSWORD": "wr0ng-pass"},
        )
        rig.send(a_message())
    assert rig.states == [DeliveryState.WAITING]
    assert rig.error == "127.0.0.1 answered 535 (SMTPAuthenticationError)"


@pytest.mark.parametrize(
    ("url", "options", "told"),
    [
        ("http://127.0.0.1", {"to": TO}, "no mail server"),
        ("smtp://user:pass@127.0.0.1", {"to": TO}, "no mail server"),
        ("smtp://127.0.0.1:1", {}, "no option to"),
        ("smtp://127.0.0.1:1", {"to": "a@"}, "no addresses"),
        ("smtp://[::1", {"to": TO}, "no mail server"),
    ],
)
def test_a_wrong_target_says_what_is_wrong(url: str, options: dict[str, str], told: str) -> None:
    rig = Rig(NotificationTarget("it", TargetKind.EMAIL, url, options=options))
    rig.send(a_message())
    assert rig.states == [DeliveryState.WAITING]
    assert told in rig.error


def test_apprise_reaches_what_it_knows(server: MailReceiver) -> None:
    with Receiver() as receiver:
        place = receiver.url.removeprefix("http://")
        rig = Rig(
            NotificationTarget("it", TargetKind.APPRISE, None, "APPRISE"),
            environ={"APPRISE": f"json://{place}/secret-path"},
        )
        rig.send(a_message())
        assert rig.states == [DeliveryState.DELIVERED]
    told = receiver.requests[0].json
    assert told["title"] == "[FIRING 1] ErrorBudgetBurn: bot / availability (page)"
    assert "Every third answer fails." in told["message"]
    assert told["type"] == "failure"


def test_apprise_that_fails_is_tried_again_and_tells_no_secret(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    with Receiver() as receiver:
        receiver.disturb = lambda r: Reply(500) if len(receiver.requests) == 1 else None
        place = receiver.url.removeprefix("http://")
        rig = Rig(
            NotificationTarget("it", TargetKind.APPRISE, None, "APPRISE"),
            environ={"APPRISE": f"json://user:pa55word@{place}/secret-path"},
        )
        rig.send(a_message())
        assert rig.states == [DeliveryState.WAITING]
        assert rig.error.startswith("Apprise could not send to it: ")
        rig.clock.at += 600
        rig.courier.deliver_due()
        assert rig.states == [DeliveryState.DELIVERED]
    said = caplog.text + rig.error + "".join(capfd.readouterr())
    assert "pa55word" not in said
    assert "secret-path" not in said


@pytest.mark.parametrize("address", ["nosuch://a/secret-thing", "://", "json://"])
def test_an_address_that_apprise_does_not_know_is_told_without_it(
    caplog: pytest.LogCaptureFixture, address: str
) -> None:
    caplog.set_level(logging.DEBUG)
    rig = Rig(
        NotificationTarget("it", TargetKind.APPRISE, None, "APPRISE"),
        environ={"APPRISE": address},
    )
    rig.send(a_message())
    assert rig.error == "APPRISE holds an address that Apprise does not know"
    assert "secret-thing" not in caplog.text
