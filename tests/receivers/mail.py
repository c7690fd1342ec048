"""A real SMTP server on loopback (aiosmtpd) that refuses whom a test says."""

import asyncio
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword


class MailReceiver:
    """``mails`` are those taken, as (recipients, mail); ``refusals`` answer a recipient."""

    def __init__(self) -> None:
        self.mails: list[tuple[list[str], EmailMessage]] = []
        self.refusals: dict[str, str] = {}
        self.data_answer = "250 OK"
        self.users: dict[str, str] = {}
        self.port = 0

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    @property
    def readers(self) -> list[str]:
        return [recipient for recipients, _ in self.mails for recipient in recipients]

    async def handle_RCPT(
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        if address in self.refusals:
            return self.refusals[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        assert all(len(line) <= 998 for line in envelope.content.split(b"\r\n"))  # RFC 5322, 2.1.1
        if self.data_answer.startswith("250"):
            mail = message_from_bytes(envelope.content, policy=policy.default)
            self.mails.append((list(envelope.rcpt_tos), mail))
        return self.data_answer

    def authenticate(
        self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any
    ) -> AuthResult:
        assert isinstance(data, LoginPassword)
        known = self.users.get(data.login.decode())
        is_known = known is not None and known == data.password.decode()
        return AuthResult(success=is_known, handled=is_known)


class _AnyPort(Controller):
    """Takes a free port, and knows it before it tries itself."""

    def _trigger_server(self) -> None:
        assert isinstance(self.server, asyncio.Server)
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]


@contextmanager
def mail_server(
    receiver: MailReceiver, *, tls: ssl.SSLContext | None = None, is_login_required: bool = False
) -> Iterator[MailReceiver]:
    """Run a server; with ``tls`` it demands STARTTLS."""
    controller = _AnyPort(
        receiver,
        hostname="127.0.0.1",
        port=0,
        tls_context=tls,
        require_starttls=tls is not None,
        auth_required=is_login_required,
        auth_require_tls=tls is not None,
        authenticator=receiver.authenticate if is_login_required else None,
    )
    controller.start()
    receiver.port = controller.port
    try:
        yield receiver
    finally:
        controller.stop(no_assert=True)
