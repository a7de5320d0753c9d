"""An SMTP server on the loopback that takes mail, refuses, stalls or hangs up as told."""

import asyncio
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


@dataclass(slots=True)
class MailServer:
    """What the server answers; `mails` are those it took, `envelopes` who got them."""

    refusals: dict[str, str] = field(default_factory=dict)
    data_answer: str = "250 taken"
    on_mail: str = "takes"
    on_data: str = "takes"
    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    envelopes: list[tuple[str | None, list[str]]] = field(default_factory=list)

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        await _misbehave(self.on_mail, server)
        envelope.mail_from = address
        return "250 ok"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.refusals:
            return self.refusals[address]
        envelope.rcpt_tos.append(address)
        return "250 ok"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.data_answer.startswith("250"):
            assert isinstance(envelope.content, bytes)
            mail = BytesParser(policy=default).parsebytes(envelope.content)
            assert isinstance(mail, EmailMessage)
            self.mails.append(mail)
            self.envelopes.append((envelope.mail_from, list(envelope.rcpt_tos)))
        await _misbehave(self.on_data, server)
        return self.data_answer


async def _misbehave(how: str, server: SMTP) -> None:
    if how == "stalls":
        await asyncio.sleep(30)
    if how == "hangs up":
        _cut(server)


def _cut(server: SMTP) -> None:
    """Close the connection without a word."""
    if isinstance(server.transport, asyncio.Transport):
        server.transport.abort()


@asynccontextmanager
async def serving(told: MailServer, *, password: str | None = None) -> AsyncIterator[MailServer]:
    """The server, running in this loop; with `password` it demands a login as "ops"."""

    def check(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object) -> AuthResult:
        assert password is not None
        expected = LoginPassword(b"ops", password.encode())
        return AuthResult(success=data == expected, handled=False)

    loop = asyncio.get_running_loop()
    running: list[SMTP] = []

    def protocol() -> SMTP:
        with warnings.catch_warnings(action="ignore"):  # it warns of logins without TLS: this is the loopback
            smtp = SMTP(
                told,
                hostname="mail.test",
                loop=loop,
                authenticator=check,
                auth_required=password is not None,
                auth_require_tls=False,
            )
        running.append(smtp)
        return smtp

    server = await loop.create_server(protocol, "127.0.0.1", 0)
    told.port = server.sockets[0].getsockname()[1]
    try:
        yield told
    finally:
        server.close()
        for smtp in running:
            _cut(smtp)
        await server.wait_closed()
        await asyncio.sleep(0)
