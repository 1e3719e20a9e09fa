"""What mails say: the link on a line of its own, and names that cannot break out of the subject."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from wattstead.limits import smtp_server
from wattstead.messaging import letters
from wattstead.messaging.smtp import message
from wattstead.registry.records import InvitationLook
from wattstead.settings import Settings

pytestmark = pytest.mark.unit
LINK = "https://energy.example/invitation?token=abc"


def look(inviter: str, place: str) -> InvitationLook:
    expires = datetime(2026, 3, 9, tzinfo=UTC)
    return InvitationLook(
        email="a@b.example", role="user", place=place, inviter=inviter, expires=expires, has_account=False
    )


def test_every_letter_with_a_link_has_it_on_a_line_of_its_own() -> None:
    made = [
        letters.invitation(look("Ada", "Mill"), LINK),
        letters.verification("a@b.example", LINK),
        letters.recovery("a@b.example", LINK),
        letters.known_already("a@b.example", LINK),
    ]
    for letter in made:
        assert LINK in letter.text.splitlines() and letter.to == "a@b.example"
    assert "2026-03-09" in made[0].text
    assert "http" not in letters.address_changed("a@b.example").text


def test_a_name_stays_in_its_line() -> None:
    letter = letters.invitation(look("Eve\r\nBcc: all@b.example", "x" * 500), LINK)
    mail = message(letter, "Wattstead <w@example.org>")
    assert mail["Bcc"] is None and "\n" not in letter.subject and len(letter.subject) < 230


def test_the_server_is_named_in_the_settings() -> None:
    assert smtp_server(Settings()) is None
    made = smtp_server(Settings(smtp_host="mail.example", smtp_user="u", smtp_password="p", smtp_security="tls"))  # type: ignore[arg-type]
    assert made is not None and (made.host, made.port, made.security, made.password) == (
        "mail.example",
        587,
        "tls",
        "p",
    )
    assert "p" not in repr(made).replace("SmtpServer", "").replace("mail.example", "")


@pytest.mark.parametrize("address", ["energy.example", "ftp://x", "https://user:p@x", "https://x/?a=b", "https://x y"])
def test_a_public_address_that_is_none_is_refused_at_start(address: str) -> None:
    with pytest.raises(ValueError, match="public_url"):
        Settings(public_url=address)
