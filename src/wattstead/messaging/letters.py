"""What mails say, in plain text; pure."""

from __future__ import annotations

from wattstead.registry.records import InvitationLook, Letter

_FOOT = "\n\nIf you did not expect this mail, you can leave it: without the link nothing happens.\n"


def invitation(look: InvitationLook, link: str) -> Letter:
    """Asks somebody to join.

    >>> from datetime import UTC, datetime
    >>> look = InvitationLook(email="a@b.example", role="user", place="Mill", inviter="Ada",
    ...                       expires=datetime(2026, 1, 9, tzinfo=UTC), has_account=False)
    >>> invitation(look, "http://x/").subject
    'Ada invites you to Mill'
    """
    inviter, place = _line(look.inviter) or "Somebody", _line(look.place) or "Wattstead"
    text = (
        f"{inviter} invites you to {place} on Wattstead, as {look.role}.\n\nOpen this link to accept; "
        f"it works until {look.expires:%Y-%m-%d}:\n{link}{_FOOT}"
    )
    return Letter(look.email, f"{inviter} invites you to {place}", text)


def verification(email: str, link: str) -> Letter:
    """Asks whether an address is the reader's."""
    text = f"Open this link to show that this e-mail address is yours:\n{link}{_FOOT}"
    return Letter(email, "Verify your e-mail address", text)


def recovery(email: str, link: str) -> Letter:
    """Lets a new password be set."""
    text = f"Open this link within an hour to set a new password:\n{link}{_FOOT}"
    return Letter(email, "Set a new password", text)


def known_already(email: str, link: str) -> Letter:
    """To somebody who registers, or takes this address for another account, and has one."""
    text = (
        "Somebody, perhaps you, tried to use this e-mail address for another account. You have an account already: "
        f"sign in, or ask for a new password, here:\n{link}\n"
    )
    return Letter(email, "You have an account already", text)


def address_changed(email: str) -> Letter:
    """To the former address of an account."""
    text = (
        "The e-mail address of your account on Wattstead is another one now. If this was not you, tell whoever runs "
        "your organization at once.\n"
    )
    return Letter(email, "Your e-mail address was changed", text)


def _line(text: str) -> str:
    """A name as it may stand in a subject: one line."""
    return " ".join(text.split())[:100]
