"""E-mail to the seller's own people, over SMTP.

The Message-ID is made from the key, so mail programs fold a repeat into the first. Before the text is handed
over a failure surely delivered nothing (Transient or Permanent); from then on a cut or time-out is Uncertain.
Port 465 speaks TLS from the first byte. Elsewhere STARTTLS is used when offered, and demanded when there is a
password to protect; `starttls = "true"` always demands it, `"false"` never uses it.
"""

import asyncio
import contextlib
import hashlib
import re
import socket
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import format_datetime, formataddr, getaddresses

import aiosmtplib

from adapters import options
from adapters.base import (
    AdapterError,
    AuthFailed,
    Message,
    Permanent,
    Receipt,
    SinkCapabilities,
    SinkSettings,
    Transient,
    Uncertain,
)
from rules.instant import to_datetime
from rules.model import Kind

TLS_PORT = 465
TOTAL_S = 10.0
QUIT_S = 1.0
MOST_RECIPIENTS = 50
ADDRESS = re.compile(r"[!-?A-~]+@[!-?A-~]+")
"""One @ between printable ASCII; the server judges the rest."""

Address = tuple[str, str]
"""Display name (may be empty) and address."""


class SmtpSink:
    """Mails messages.

    Options: host, port, from, to (comma list), username and password, starttls (true, false), timeout_s.
    """

    capabilities = SinkCapabilities(kinds=frozenset({Kind.ALERT, Kind.TASK}))

    def __init__(self, settings: SinkSettings) -> None:
        name = settings.name
        taken = options.read(
            settings,
            required=("host", "port", "from", "to"),
            optional=("username", "password", "starttls", "timeout_s"),
        )
        self._name, self._host = name, taken["host"]
        self._port = options.port(name, taken, "port")
        (self._from,) = _addresses(name, "from", taken["from"], most=1)
        self._to = _addresses(name, "to", taken["to"])
        self._username, self._password = _login(name, taken.get("username"), taken.get("password"))
        self._start_tls = options.switch(name, taken, "starttls")
        if self._start_tls is None and self._username:
            self._start_tls = True
        self._timeout_s = options.seconds(name, taken, "timeout_s", TOTAL_S)

    async def deliver(self, message: Message, now: int) -> Receipt:
        """Mail the message to all recipients in one go; the receipt's note names those that were refused."""
        mail = compose(message, now, sender=self._from, recipients=self._to)
        client = self._client()
        handed_over = False
        try:
            async with asyncio.timeout(self._timeout_s):
                await client.connect()
                refused = await self._envelope(client)
                handed_over = True
                await client.data(mail.as_bytes(policy=SMTP_POLICY))
            await _leave(client)
        except (aiosmtplib.SMTPException, OSError) as error:
            raise self._meaning(error, handed_over) from error
        finally:
            client.close()
        note = f"refused for {', '.join(refused)}" if refused else ""
        return Receipt(reference=str(mail["Message-ID"]), note=note)

    async def close(self) -> None:
        """Nothing stays open between deliveries."""

    def _client(self) -> aiosmtplib.SMTP:
        """A client for one mail, in the loop of the caller. The greeting name is found without asking DNS."""
        host = socket.gethostname()
        return aiosmtplib.SMTP(
            hostname=self._host,
            port=self._port,
            username=self._username,
            password=self._password,
            use_tls=self._port == TLS_PORT,
            start_tls=False if self._port == TLS_PORT else self._start_tls,
            timeout=self._timeout_s,
            local_hostname=host if "." in host else "[127.0.0.1]",
        )

    async def _envelope(self, client: aiosmtplib.SMTP) -> list[str]:
        """Name sender and recipients; return the refused ones with their code, or raise when all are.

        All refused is Permanent; if one of them was refused only for now (greylisting, 4xx), Transient.
        """
        await client.mail(self._from[1])
        refused: dict[str, int] = {}
        for _, address in self._to:
            try:
                await client.rcpt(address)
            except aiosmtplib.SMTPRecipientRefused as error:
                refused[address] = error.code
        told = [f"{address} ({code})" for address, code in refused.items()]
        if len(refused) < len(self._to):
            return told
        text = f"sink {self._name!r}: the server refused every recipient: {', '.join(told)}"
        if any(code < 500 for code in refused.values()):
            raise Transient(f"{text}: it asks to try later")
        raise Permanent(f"{text}: correct the option 'to'")

    def _meaning(self, error: aiosmtplib.SMTPException | OSError, handed_over: bool) -> AdapterError:
        """What a failure says about the mail: surely not sent (now or for good), or unknown."""
        where = f"sink {self._name!r} ({self._host}:{self._port})"
        if isinstance(error, aiosmtplib.SMTPResponseException) and 400 <= error.code < 600:
            told = f"{where}: answered {error.code} {error.message[:200]}"
            if error.code < 500:
                return Transient(told)
            if isinstance(error, aiosmtplib.SMTPAuthenticationError):
                return AuthFailed(f"{told}: correct the options 'username' and 'password'")
            return Permanent(f"{told}: mend what the server names")
        if isinstance(error, aiosmtplib.SMTPNotSupported) or type(error) is aiosmtplib.SMTPException:
            return Permanent(f"{where}: {error}: correct 'port' and 'starttls', or remove 'username'")
        what = f"{type(error).__name__}: {error}"[:200]
        if handed_over:
            text = f"{where}: no verdict ({what}) after the text was handed over; it may be delivered"
            return Uncertain(text, arrived=isinstance(error, TimeoutError))
        return Transient(f"{where}: no mail dialogue ({what}): check host, port and network")


def compose(message: Message, now: int, *, sender: Address, recipients: list[Address]) -> EmailMessage:
    """The mail for a message, dated `now`. Its Message-ID depends on key and sender's domain alone."""
    mail = EmailMessage()
    mail["Subject"] = " ".join(_sendable(message.title).split())
    mail["From"] = formataddr(sender)
    mail["To"] = ", ".join(formataddr(recipient) for recipient in recipients)
    mail["Date"] = format_datetime(to_datetime(now))
    digest = hashlib.sha256(message.key.encode("utf-8", "replace")).hexdigest()[:32]
    mail["Message-ID"] = f"<{digest}@{sender[1].rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(_sendable(message.text), cte="base64")
    return mail


async def _leave(client: aiosmtplib.SMTP) -> None:
    """Say goodbye; the mail is accepted, so nothing that happens now matters."""
    with contextlib.suppress(aiosmtplib.SMTPException, OSError):
        async with asyncio.timeout(QUIT_S):
            await client.quit()


def _sendable(text: str) -> str:
    """The text without what UTF-8 cannot hold (lone surrogates)."""
    return text.encode("utf-8", "replace").decode()


def _addresses(sink: str, option: str, text: str, most: int = MOST_RECIPIENTS) -> list[Address]:
    """The addresses in a comma list, 1 to `most`; ValueError when one is none."""
    found = getaddresses([text])
    if not 1 <= len(found) <= most or not all(ADDRESS.fullmatch(address) for _, address in found):
        wanted = "an e-mail address" if most == 1 else f"1 to {most} e-mail addresses, split by commas"
        raise ValueError(f"sink {sink!r}: option {option!r} must be {wanted}, such as ops@example.com")
    return found


def _login(sink: str, username: str | None, password: str | None) -> tuple[str | None, str | None]:
    """Both or neither; ValueError names the one that is missing."""
    if (username is None) != (password is None):
        missing = "password" if password is None else "username"
        raise ValueError(f"sink {sink!r}: option {missing!r} is missing: a login needs username and password")
    return username, password
