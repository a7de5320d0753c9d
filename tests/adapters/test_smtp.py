"""Mail: the text that arrives, refusals, and what is known when the dialogue breaks."""

import asyncio
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

import pytest
from freezegun import freeze_time

from adapters.base import AuthFailed, Permanent, Receipt, Transient, Uncertain
from adapters.smtp import SmtpSink, compose
from tests.adapters.contract import SinkContract
from tests.adapters.fakes.background import background
from tests.adapters.fakes.mail import MailServer, serving
from tests.adapters.fakes.messages import NOW, alert, settings

PEOPLE = {"from": "Forestall <forestall@shop.test>", "to": "an@shop.test, Bo <bo@shop.test>"}


def deliver(
    told: MailServer, *, demands: str | None = None, key: str = "north/1/a", text: str = "", **options: str
) -> Receipt:
    """Deliver one alert to this server; `demands` is the password it wants."""

    async def run() -> Receipt:
        async with serving(told, password=demands):
            sink = SmtpSink(settings(host="127.0.0.1", port=str(told.port), **{**PEOPLE, **options}))
            try:
                return await sink.deliver(alert(key, title="3 单将超时", text=text), NOW)
            finally:
                await sink.close()

    return asyncio.run(run())


class TestSmtpKeepsTheContract(SinkContract):
    """The suite every sink passes."""

    sink_class = SmtpSink
    options: ClassVar = {"host": "127.0.0.1", "port": "9", **PEOPLE}

    @contextmanager
    def serving(self) -> Iterator[dict[str, str]]:
        with background(serving(MailServer())) as told:
            yield {**self.options, "port": str(told.port)}


def test_the_mail_reaches_all_recipients_with_title_text_and_date() -> None:
    server = MailServer()

    receipt = deliver(server, text="缺货\n.\n第三行")

    (mail,) = server.mails
    assert [("forestall@shop.test", ["an@shop.test", "bo@shop.test"])] == server.envelopes
    assert "3 单将超时" == mail["Subject"]
    assert "缺货\n.\n第三行\n" == mail.get_content()
    assert "Tue, 02 Jun 2026 01:00:00 +0000" == mail["Date"]
    assert "an@shop.test, Bo <bo@shop.test>" == mail["To"]
    assert "auto-generated" == mail["Auto-Submitted"]
    assert Receipt(reference=mail["Message-ID"]) == receipt


def test_the_message_id_follows_the_key_alone() -> None:
    people = {"sender": ("", "a@shop.test"), "recipients": [("", "b@shop.test")]}
    one = compose(alert("north/1/a"), NOW, **people)  # type: ignore[arg-type]
    again = compose(alert("north/1/a", text="other"), NOW + 1_000_000, **people)  # type: ignore[arg-type]
    other = compose(alert("north/2/a"), NOW, **people)  # type: ignore[arg-type]

    assert one["Message-ID"] == again["Message-ID"]
    assert one["Message-ID"] != other["Message-ID"]
    assert re.fullmatch(r"<[0-9a-f]{32}@shop\.test>", str(one["Message-ID"]))


def test_a_title_with_line_breaks_cannot_add_a_header() -> None:
    mail = compose(alert(title="late\r\nBcc: x@evil.test"), NOW, sender=("", "a@b.test"), recipients=[("", "c@d.test")])

    assert "late Bcc: x@evil.test" == mail["Subject"]
    assert mail["Bcc"] is None


def test_a_refused_recipient_is_noted_and_the_others_get_the_mail() -> None:
    server = MailServer(refusals={"an@shop.test": "550 no such user"})

    receipt = deliver(server)

    assert "refused for an@shop.test (550)" == receipt.note
    assert [("forestall@shop.test", ["bo@shop.test"])] == server.envelopes


def test_a_mail_that_everybody_is_refused_is_refused() -> None:
    server = MailServer(refusals=dict.fromkeys(("an@shop.test", "bo@shop.test"), "550 no such user"))

    with pytest.raises(Permanent, match=r"an@shop.test \(550\), bo@shop.test \(550\): correct the option 'to'"):
        deliver(server)
    assert [] == server.mails


def test_greylisting_is_tried_again() -> None:
    server = MailServer(refusals={"an@shop.test": "450 later", "bo@shop.test": "550 no such user"})

    with pytest.raises(Transient, match="later"):
        deliver(server)


@pytest.mark.parametrize(("answer", "error"), [("451 disk full", Transient), ("554 spam", Permanent)])
def test_a_verdict_on_the_text_is_believed(answer: str, error: type[Exception]) -> None:
    with pytest.raises(error, match=answer):
        deliver(MailServer(data_answer=answer))


@pytest.mark.parametrize("trouble", ["hangs up", "stalls"])
def test_trouble_before_the_text_is_handed_over_surely_delivered_nothing(trouble: str) -> None:
    with pytest.raises(Transient):
        deliver(MailServer(on_mail=trouble), timeout_s="1")


@pytest.mark.parametrize("trouble", ["hangs up", "stalls"])
def test_trouble_after_the_text_is_handed_over_is_uncertain(trouble: str) -> None:
    server = MailServer(on_data=trouble)

    with pytest.raises(Uncertain, match="may be delivered"):
        deliver(server, timeout_s="1")
    assert 1 == len(server.mails)


def test_the_time_out_also_fires_under_a_frozen_clock() -> None:
    with freeze_time("2026-06-02", real_asyncio=True), pytest.raises(Uncertain):
        deliver(MailServer(on_data="stalls"), timeout_s="1")


def test_a_refused_connection_is_surely_not_done() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        sink = SmtpSink(settings(host="127.0.0.1", port=str(closed.getsockname()[1]), **PEOPLE))

        with pytest.raises(Transient, match="check host, port"):
            asyncio.run(sink.deliver(alert(), NOW))


def test_a_login_is_made_with_username_and_password() -> None:
    server = MailServer()

    deliver(server, demands="s3cret", username="ops", password="s3cret", starttls="false")

    assert 1 == len(server.mails)


def test_a_wrong_password_is_for_a_person_to_mend() -> None:
    with pytest.raises(AuthFailed, match="correct the options 'username' and 'password'") as caught:
        deliver(MailServer(), demands="s3cret", username="ops", password="hunter2", starttls="false")

    assert "hunter2" not in str(caught.value)


def test_a_password_never_leaves_over_an_open_line_unless_that_is_asked_for() -> None:
    server = MailServer()

    with pytest.raises(Permanent, match="starttls"):
        deliver(server, demands="s3cret", username="ops", password="s3cret")
    assert [] == server.mails


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"port": "smtp"}, "'port'"),
        ({"to": "nobody"}, "'to'"),
        ({"to": "an@shop.test; bo@shop.test"}, "'to'"),
        ({"to": "店@shop.test"}, "'to'"),
        ({"from": "a@b.test, c@d.test"}, "'from'"),
        ({"username": "ops"}, "'password'"),
        ({"password": "s3cret"}, "'username'"),
        ({"starttls": "yes"}, "'starttls'"),
        ({"timeout_s": "0"}, "'timeout_s'"),
        ({"host": ""}, "'host'"),
    ],
)
def test_an_option_that_cannot_work_is_named(change: dict[str, str], named: str) -> None:
    with pytest.raises(ValueError, match=f"sink 'ops': option {named}"):
        SmtpSink(settings(**{"host": "127.0.0.1", "port": "25", **PEOPLE, **change}))
