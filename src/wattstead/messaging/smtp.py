"""Handing one mail to an SMTP server; when and how often is the outbox's affair."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from email.errors import HeaderParseError, MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, localtime, make_msgid, parseaddr

from wattstead.messaging.errors import MailRefused, MailUndelivered
from wattstead.messaging.limits import SmtpServer
from wattstead.registry.records import Letter

_REFUSED_FROM = 500
"""SMTP's replies from here on will not change by trying again."""


def message(letter: Letter, sender: str) -> EmailMessage:
    """The mail as it is handed over; raises `MailRefused` for an address or subject that no mail can carry."""
    made = EmailMessage()
    name, address = parseaddr(sender)
    try:
        local, _, host = letter.to.rpartition("@")
        made["From"] = Address(name, addr_spec=address)
        made["To"] = Address("", local, host)
        made["Subject"] = letter.subject
    except (HeaderParseError, MessageError, ValueError, IndexError) as error:
        raise MailRefused(f"a mail cannot be written to this address ({type(error).__name__})") from error
    made["Date"] = format_datetime(localtime())
    made["Message-ID"] = make_msgid(domain=address.rpartition("@")[2] or "localhost")
    made["Auto-Submitted"] = "auto-generated"
    made.set_content(letter.text)
    return made


def deliver(letter: Letter, server: SmtpServer) -> None:
    """Hand a letter over; blocks; raises `MailUndelivered` (try again), `MailRefused` (do not)."""
    made = message(letter, server.sender)
    try:
        with _connected(server) as connection:
            connection.send_message(made)
    except smtplib.SMTPRecipientsRefused as error:
        code, said = next(iter(error.recipients.values()))
        raise _error(code, said) from error
    except smtplib.SMTPAuthenticationError as error:
        raise MailUndelivered(f"the SMTP server refuses user and password ({error.smtp_code})") from error
    except smtplib.SMTPResponseException as error:
        raise _error(error.smtp_code, error.smtp_error) from error
    except smtplib.SMTPNotSupportedError as error:
        raise MailUndelivered(f"the SMTP server cannot do what is asked ({error})") from error
    except (smtplib.SMTPException, OSError) as error:
        raise MailUndelivered(f"the SMTP server does not answer ({type(error).__name__}: {error})") from error


@contextmanager
def _connected(server: SmtpServer) -> Iterator[smtplib.SMTP]:
    context = ssl.create_default_context(cafile=server.authority or None)
    host, port, timeout_s = server.host, server.port, server.timeout_s
    if server.security == "tls":
        made: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=timeout_s, context=context)
    else:
        made = smtplib.SMTP(host, port, timeout=timeout_s)
    with made as connection:
        if server.security == "starttls":
            connection.starttls(context=context)
        if server.user:
            connection.login(server.user, server.password)
        yield connection


def _error(code: int, said: bytes | str) -> MailUndelivered | MailRefused:
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    sentence = f"the SMTP server says {code} {text[:200]}"
    return MailRefused(sentence) if code >= _REFUSED_FROM else MailUndelivered(sentence)
