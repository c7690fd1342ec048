"""E-mail over SMTP (RFC 5321), one message a notification, threaded by group.

``Message-ID`` follows from the key, so a mail that is delivered twice is the same mail, and
``References`` from the group. Who took the mail is remembered over attempts, so that one refused
recipient does not make the others read it again. Encryption is asked for wherever the server is not
this machine; a password never travels without it.
"""

import hashlib
import re
import smtplib
import ssl
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from seakeeping.decide.notify.exchange import aborted_after, trusted
from seakeeping.decide.notify.failures import DeliveryFailed, Undeliverable
from seakeeping.decide.notify.secrets import secret_of
from seakeeping.decide.notify.sender import Envelope, Surroundings
from seakeeping.decide.notify.wording import body, clip, headline
from seakeeping.metrics import ERRORS
from seakeeping.records import JsonObject, NotificationTarget

_LONGEST_SUBJECT = 200
_PORTS = {"smtp": 587, "smtps": 465}
_MOST_REMEMBERED = 1000


class Mail:
    """Hands mails to one server: ``url`` is ``smtp://host:port`` or ``smtps://host:port``.

    ``secret_env`` holds the password of ``user``. Options: ``to`` (addresses with spaces between),
    ``from``, ``user``, ``tls`` (``starttls``, or ``none``, the default on this machine only),
    ``ca_file``.
    """

    def __init__(self, target: NotificationTarget, surroundings: Surroundings) -> None:
        self._target = target
        self._with = surroundings
        self._taken: dict[str, set[str]] = {}  # recipients by key, of mails that some refused

    def send(self, envelope: Envelope) -> JsonObject:
        """Send a mail. Raises as ``Sender`` says."""
        recipients = _addresses(self._target.options.get("to", ""))
        if not recipients:
            raise DeliveryFailed(f"the target {self._target.name} has no option to")
        mail = self._mail(envelope, recipients)
        taken = self._taken.get(envelope.key, set())
        left = [recipient for recipient in recipients if recipient not in taken]
        refused = self._hand_over(mail, left)
        self._judge(envelope.key, left, refused)
        return {"refused": sorted(refused)} if refused else {}

    def _judge(
        self, key: str, left: Sequence[str], refused: Mapping[str, tuple[int, bytes]]
    ) -> None:
        """Raise where somebody is still to be told, or nobody could be."""
        later = {address for address, (code, _) in refused.items() if code < 500}
        if later:
            if len(self._taken) >= _MOST_REMEMBERED:
                self._taken.pop(next(iter(self._taken)))
            self._taken.setdefault(key, set()).update(a for a in left if a not in later)
            raise DeliveryFailed(_refusal(refused))
        was_taken = bool(self._taken.pop(key, None))
        if refused and len(refused) == len(left) and not was_taken:
            raise Undeliverable(_refusal(refused))
        if refused:
            ERRORS.labels("mail", "RecipientRefused").inc(len(refused))

    def _mail(self, envelope: Envelope, recipients: Sequence[str]) -> EmailMessage:
        sender = self._target.options.get("from", "seakeeping@localhost")
        domain = parseaddr(sender)[1].rpartition("@")[2] or "localhost"
        mail = EmailMessage()
        try:
            mail["From"] = sender
            mail["To"] = ", ".join(recipients)
        except (ValueError, IndexError):
            raise DeliveryFailed("the options from and to hold no addresses") from None
        mail["Subject"] = clip(headline(envelope.notification), _LONGEST_SUBJECT)
        mail["Date"] = format_datetime(datetime.fromtimestamp(envelope.notification.at, UTC))
        mail["Message-ID"] = f"<{hashlib.sha256(envelope.key.encode()).hexdigest()[:32]}@{domain}>"
        mail["References"] = f"<{envelope.thread}@{domain}>"
        mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no answers from absent people
        mail["X-Seakeeping-Key"] = envelope.key
        mail.set_content(body(envelope.notification, self._with.external_url))
        return mail

    def _hand_over(
        self, mail: EmailMessage, recipients: Sequence[str]
    ) -> Mapping[str, tuple[int, bytes]]:
        """Return who was refused, and why."""
        place = _server(self._target.url or "smtp://localhost:25")
        host = str(place.hostname)
        begun: list[smtplib.SMTP] = []
        try:
            with aborted_after(self._with.timeout_s * 3, lambda: begun[0].sock if begun else None):
                return _sent(self._connected(place, begun), mail, recipients)
        except TimeoutError:
            raise DeliveryFailed(f"{host}: took too long") from None
        except smtplib.SMTPResponseException as error:
            raise _answered(host, error) from None
        except (smtplib.SMTPException, OSError, ValueError) as error:
            told = getattr(error, "strerror", None) or type(error).__name__
            raise DeliveryFailed(f"{host}: {told}") from None
        finally:
            for server in begun:
                with suppress(smtplib.SMTPException, OSError):
                    server.close()

    def _connected(self, place: SplitResult, begun: list[smtplib.SMTP]) -> smtplib.SMTP:
        host, port = str(place.hostname), place.port or _PORTS[place.scheme]
        context = trusted(self._target.options.get("ca_file"))
        if place.scheme == "smtps":
            secure = _SecureServer(begun, host, port, self._with.timeout_s, context)
            return self._known(secure, is_secure=True)
        server = _Server(begun, host, port, self._with.timeout_s)
        default = "none" if _is_here(host) else "starttls"
        is_secure = self._target.options.get("tls", default) != "none"
        if is_secure:
            server.starttls(context=context)
        return self._known(server, is_secure=is_secure or _is_here(host))

    def _known(self, server: smtplib.SMTP, *, is_secure: bool) -> smtplib.SMTP:
        user = self._target.options.get("user")
        password = secret_of(self._target, self._with.environ)
        if user and password:
            if not is_secure:
                raise DeliveryFailed("a password is not sent without encryption")
            server.login(user, password)
        return server


class _Server(smtplib.SMTP):
    """A connection that is known before it is made, so that a slow greeting can be cut."""

    def __init__(self, begun: list[smtplib.SMTP], host: str, port: int, timeout_s: float) -> None:
        begun.append(self)
        super().__init__(host, port, timeout=timeout_s)


class _SecureServer(smtplib.SMTP_SSL):
    """The same, encrypted from its first byte."""

    def __init__(
        self,
        begun: list[smtplib.SMTP],
        host: str,
        port: int,
        timeout_s: float,
        context: ssl.SSLContext,
    ) -> None:
        begun.append(self)
        super().__init__(host, port, timeout=timeout_s, context=context)


def _sent(
    server: smtplib.SMTP, mail: EmailMessage, recipients: Sequence[str]
) -> Mapping[str, tuple[int, bytes]]:
    try:
        refused: Mapping[str, tuple[int, bytes]] = server.send_message(mail, to_addrs=recipients)
    except smtplib.SMTPRecipientsRefused as error:
        return error.recipients
    with suppress(smtplib.SMTPException, OSError):  # the mail is taken: a failed farewell is none
        server.quit()
    return refused


def _answered(host: str, error: smtplib.SMTPResponseException) -> DeliveryFailed | Undeliverable:
    """Return what an answer means: 5xx to the mail itself is final, to a login it is not."""
    told = f"{host} answered {error.smtp_code} ({type(error).__name__})"
    is_final = isinstance(error, smtplib.SMTPDataError) and error.smtp_code >= 500
    return Undeliverable(told) if is_final else DeliveryFailed(told)


def _refusal(refused: Mapping[str, tuple[int, bytes]]) -> str:
    return ", ".join(f"{address} was refused with {code}" for address, (code, _) in refused.items())


def _addresses(text: str) -> list[str]:
    return [part for part in re.split(r"[,;\s]+", text) if part]


def _server(url: str) -> SplitResult:
    try:
        place = urlsplit(url)
        is_good = place.scheme in _PORTS and bool(place.hostname) and place.port != 0
    except ValueError:
        is_good = False
    if not is_good or place.username is not None:
        raise DeliveryFailed(
            "the target's url is no mail server", hint="smtp://host:587 or smtps://host:465"
        )
    return place


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
