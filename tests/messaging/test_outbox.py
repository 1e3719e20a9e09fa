"""Mails from the outbox to a real SMTP server: sent once, tried again with patience, dropped when refused for ever."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
import structlog
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword
from tests.migrated import migrated

from wattstead.messaging.limits import OutboxLimits, SmtpServer
from wattstead.messaging.outbox import Outbox
from wattstead.registry.records import Letter
from wattstead.registry.registry import Registry

pytestmark = pytest.mark.unit
LETTER = Letter("ada@example.org", "Grüße", "Öffne:\nhttp://127.0.0.1/verify?token=abc\n")


class Postbox:
    """What the server received, and what it answers."""

    def __init__(self) -> None:
        self.received: list[Envelope] = []
        self.answer = "250 taken"
        self.arrived = threading.Event()

    async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:  # noqa: N802
        if self.answer.startswith("250"):
            self.received.append(envelope)
            self.arrived.set()
        return self.answer


class Clock:
    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def authenticate(server: Any, session: Any, envelope: Any, mechanism: str, told: LoginPassword) -> AuthResult:
    return AuthResult(success=(told.login, told.password) == (b"user", b"secret"))


@pytest.fixture
def postbox() -> Postbox:
    return Postbox()


@pytest.fixture
def server(postbox: Postbox) -> Iterator[SmtpServer]:
    controller = Controller(postbox, "127.0.0.1", free_port(), authenticator=authenticate, auth_require_tls=False)
    controller.start()
    yield SmtpServer(host="127.0.0.1", port=controller.port, security="none", sender="Wattstead <w@example.org>")
    controller.stop()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def registry(tmp_path: Path, clock: Clock) -> Iterator[Registry]:
    with Registry(migrated(tmp_path), clock) as opened:
        yield opened


def test_a_mail_arrives_once_and_its_text_is_dropped(registry: Registry, server: SmtpServer, postbox: Postbox) -> None:
    registry.queue_mail(LETTER)
    outbox = Outbox(registry, server)
    assert outbox.send_due() == 1 and outbox.send_due() == 0
    (envelope,) = postbox.received
    assert (envelope.mail_from, envelope.rcpt_tos) == ("w@example.org", ["ada@example.org"])
    assert isinstance(envelope.content, bytes)
    mail = message_from_bytes(envelope.content, policy=default)
    assert (mail["Subject"], mail["From"], mail["To"]) == ("Grüße", "Wattstead <w@example.org>", "ada@example.org")
    body = mail.get_body()
    assert body is not None and body.get_content().splitlines() == LETTER.text.splitlines()
    with registry._db.connected() as connection:
        assert connection.exec_driver_sql("SELECT text, sent IS NOT NULL FROM mail").all() == [("", 1)]


def test_a_mail_that_is_not_taken_is_tried_again_later(
    registry: Registry, server: SmtpServer, postbox: Postbox, clock: Clock
) -> None:
    registry.queue_mail(LETTER)
    outbox = Outbox(registry, server, OutboxLimits(first_retry=timedelta(seconds=30)))
    postbox.answer = "451 not now"
    assert [outbox.send_due(), outbox.send_due()] == [1, 0]
    clock.now += timedelta(seconds=31)
    assert outbox.send_due() == 1
    clock.now += timedelta(seconds=31)
    assert outbox.send_due() == 0, "the second wait is twice as long"
    clock.now += timedelta(seconds=31)
    postbox.answer = "250 taken"
    assert outbox.send_due() == 1 and len(postbox.received) == 1


def test_a_server_that_is_down_loses_no_mail(
    registry: Registry, clock: Clock, server: SmtpServer, postbox: Postbox
) -> None:
    registry.queue_mail(LETTER)
    assert Outbox(registry, SmtpServer(host="127.0.0.1", port=free_port(), security="none")).send_due() == 1
    clock.now += timedelta(minutes=1)
    Outbox(registry, server).send_due()
    assert len(postbox.received) == 1


def test_a_mail_that_was_taken_by_a_process_that_died_is_sent_by_another(
    registry: Registry, server: SmtpServer, postbox: Postbox, clock: Clock
) -> None:
    registry.queue_mail(LETTER)
    assert len(registry.take_due_mails()) == 1
    outbox = Outbox(registry, server)
    assert outbox.send_due() == 0
    clock.now += timedelta(minutes=5)
    assert outbox.send_due() == 1 and len(postbox.received) == 1


@pytest.mark.parametrize(
    "letter", [LETTER, Letter("ada@exa\nmple.org", "x", "y"), Letter("a@b.example", "x\r\nBcc: e@b", "y")]
)
def test_what_is_refused_for_ever_is_dropped(
    registry: Registry, server: SmtpServer, postbox: Postbox, clock: Clock, letter: Letter
) -> None:
    postbox.answer = "550 nobody here"
    registry.queue_mail(letter)
    outbox = Outbox(registry, server)
    assert outbox.send_due() == 1
    clock.now += timedelta(days=1)
    assert outbox.send_due() == 0 and postbox.received == []
    with registry._db.connected() as connection:
        assert connection.exec_driver_sql("SELECT text FROM mail WHERE error <> ''").all() == [("",)]


def test_a_mail_is_not_tried_for_ever(registry: Registry, server: SmtpServer, postbox: Postbox, clock: Clock) -> None:
    clock.now -= timedelta(days=3)
    registry.queue_mail(LETTER)
    postbox.answer = "451 not now"
    outbox = Outbox(registry, server)
    assert outbox.send_due() == 1
    clock.now += timedelta(days=3)
    assert outbox.send_due() == 0


def test_user_and_password(registry: Registry, server: SmtpServer, postbox: Postbox, clock: Clock) -> None:
    registry.queue_mail(LETTER)
    told = {"host": server.host, "port": server.port, "security": "none", "sender": "w@example.org", "user": "user"}
    Outbox(registry, SmtpServer(**told, password="wrong")).send_due()  # type: ignore[arg-type]
    assert postbox.received == []
    clock.now += timedelta(minutes=1)
    Outbox(registry, SmtpServer(**told, password="secret")).send_due()  # type: ignore[arg-type]
    assert len(postbox.received) == 1


def test_a_server_that_cannot_encrypt_gets_nothing(registry: Registry, server: SmtpServer, postbox: Postbox) -> None:
    registry.queue_mail(LETTER)
    Outbox(registry, SmtpServer(host=server.host, port=server.port, security="starttls")).send_due()
    assert postbox.received == []


def test_without_a_server_the_log_has_the_link(registry: Registry) -> None:
    registry.queue_mail(LETTER)
    with structlog.testing.capture_logs() as told:
        assert Outbox(registry, None).send_due() == 1
    assert "token=abc" in told[0]["text"] and told[0]["to"] == "ada@example.org"
    assert Outbox(registry, None).send_due() == 0


async def test_the_outbox_runs_beside_the_server(registry: Registry, server: SmtpServer, postbox: Postbox) -> None:
    outbox = Outbox(registry, server, OutboxLimits(poll_s=0.01))
    await outbox.start()
    try:
        await asyncio.to_thread(registry.queue_mail, LETTER)
        assert await asyncio.to_thread(postbox.arrived.wait, 30)
    finally:
        await outbox.stop()
    assert len(postbox.received) == 1
