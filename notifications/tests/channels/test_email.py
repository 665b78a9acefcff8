"""Emails to a real SMTP server on a socket."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from config.durable import PermanentFailure, TemporaryFailure
from notifications.channels.base import Message
from notifications.channels.email import EmailChannel
from notifications.tests.channel_peers import MailServer
from wecom.tests.peers import refused_url


def mail(key: str = "k1", address: str = "li.mei@example.com") -> Message:
    return Message(key=key, address=address, subject="项目 P-1 已发货", body="您好，\n二号线水泵已发货。\n.\n")


@pytest.fixture
def channel(mail_server: MailServer) -> Iterator[EmailChannel]:
    made = EmailChannel()
    yield made
    made.close()


def test_a_mail_arrives_as_it_was_written(channel: EmailChannel, mail_server: MailServer) -> None:
    number = channel.send(mail())
    recipient, received = mail_server.mails[0]
    assert recipient == "li.mei@example.com"
    assert mail_server.subjects() == ["项目 P-1 已发货"]
    content = received.get_payload(decode=True)
    assert isinstance(content, bytes)
    assert content.decode().replace("\r\n", "\n") == "您好，\n二号线水泵已发货。\n.\n"
    assert received["Message-ID"] == number
    assert number.endswith("@example.com>")
    assert received["Auto-Submitted"] == "auto-generated"


def test_one_connection_carries_many_and_a_repetition_has_the_same_number(
    channel: EmailChannel, mail_server: MailServer
) -> None:
    numbers = [channel.send(mail(key)) for key in ("a", "b", "a")]
    assert mail_server.connections == 1
    assert numbers[0] == numbers[2] != numbers[1]


def test_a_kept_connection_that_the_server_has_closed_is_no_failure(
    channel: EmailChannel, mail_server: MailServer
) -> None:
    channel.send(mail("a"))
    mail_server.drop_connections()
    channel.send(mail("b"))
    assert mail_server.connections == 2
    assert len(mail_server.mails) == 2


@pytest.mark.parametrize(
    ("verb", "answer", "failure", "word"),
    [
        ("gone@example.com", "550 5.1.1 no such user", PermanentFailure, "no such user"),
        ("gone@example.com", "452 4.2.2 mailbox full", TemporaryFailure, "mailbox full"),
        ("DATA", "554 5.7.1 looks like spam", PermanentFailure, "spam"),
        ("DATA", "451 4.3.0 try later", TemporaryFailure, "try later"),
        ("MAIL", "550 sender not allowed", TemporaryFailure, "DEFAULT_FROM_EMAIL"),
        ("MAIL", "451 busy", TemporaryFailure, "busy"),
        ("connect", "421 too many connections", TemporaryFailure, "too many"),
        ("connect", "close", TemporaryFailure, "EMAIL_URL"),
        ("before data", "close", TemporaryFailure, "EMAIL_URL"),
    ],
)
def test_each_refusal_is_told_apart_and_the_next_mail_is_not_its_victim(
    channel: EmailChannel,
    mail_server: MailServer,
    verb: str,
    answer: str,
    failure: type[Exception],
    word: str,
) -> None:
    mail_server.answers[verb] = answer
    with pytest.raises(failure) as caught:
        channel.send(mail(address="gone@example.com"))
    assert type(caught.value) is failure
    assert word in str(caught.value)
    mail_server.answers.clear()
    channel.send(mail("other"))
    assert len(mail_server.mails) == 1


def test_a_silent_server_is_given_up_after_the_time_out(
    channel: EmailChannel, mail_server: MailServer, settings
) -> None:
    settings.EMAIL_TIMEOUT = 0.2
    mail_server.answers["connect"] = "hang"
    with pytest.raises(TemporaryFailure):
        channel.send(mail())


def test_no_server_at_all_is_temporary(mail_server: MailServer, settings) -> None:
    settings.EMAIL_PORT = int(refused_url().rpartition(":")[2])
    with pytest.raises(TemporaryFailure, match="EMAIL_URL"):
        EmailChannel().send(mail())


@pytest.mark.parametrize("address", ["n/a", "li.mei", "a@b@c", "a@example.com\r\nRCPT TO:<b@example.com>", "a b@c.d"])
def test_what_is_no_address_fails_for_good_and_reaches_no_server(
    channel: EmailChannel, mail_server: MailServer, address: str
) -> None:
    with pytest.raises(PermanentFailure):
        channel.send(mail(address=address))
    assert mail_server.connections == 0


def test_closing_without_having_sent_opens_nothing(channel: EmailChannel, mail_server: MailServer) -> None:
    channel.close()
    assert mail_server.connections == 0
