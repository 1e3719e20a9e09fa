"""E-mail addresses as they are compared: one spelling each, and none that passes for another; asks no database."""

from __future__ import annotations

import contextlib
import re
import unicodedata

import idna

from wattstead.registry.errors import NameInvalid

_EMAIL = re.compile(r"[^@\s\x00-\x1f\x7f]{1,64}@[^@\s\x00-\x1f\x7f]{1,190}")
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyz0123456789.!#$%&'*+/=?^_`{|}~-")
"""What stands unquoted before the @ (RFC 5322), beside letters of other scripts (RFC 6531)."""
_LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_ALIKE_SCRIPTS = frozenset({"LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "COPTIC"})
_LOOKS_LIKE = str.maketrans(
    "асеорухіѕјһԁԛԝкмтвнгпӏѵү" + "ονρταυικεηχγω" + "ıɡɑ" + "օոսհցզյ" + "ⲟⲣⲥⲓⲕⲙⲏⲧ",
    "aceopyxisjhdqwkmtbhrnlvy" + "ovptauikenxyw" + "iga" + "onuhgqj" + "opcikmht",
)
"""Letters that are drawn like Latin ones: Cyrillic, Greek, Latin beyond ASCII, Armenian, Coptic (the common part of
Unicode TS #39)."""
_ALIKE = frozenset(map(chr, _LOOKS_LIKE))


def folded(email: str) -> str:
    """An e-mail address as it is compared; raises `NameInvalid` when it is none.

    Compatibility forms become plain ones (NFKC), letters small, the host its ASCII form (IDNA) without the dot that may
    end it.

    >>> folded(" Ａda@Bücher.Example "), folded("ada@example.org.")
    ('ada@xn--bcher-kva.example', 'ada@example.org')
    """
    plain = unicodedata.normalize("NFKC", email.strip()).lower()
    if not _EMAIL.fullmatch(plain) or not plain.isprintable():
        raise NameInvalid("e-mail address", email, "is none; give name@place", "email.none")
    local, _, host = plain.partition("@")
    if not host.isascii() or "xn--" in host:
        try:
            host = idna.encode(host, uts46=True).decode()
        except idna.IDNAError as error:
            raise NameInvalid(
                "e-mail address", email, "has a host that cannot be written; give name@place", "email.none"
            ) from error
    host = host.removesuffix(".")
    if not all(host.split(".")):
        raise NameInvalid(
            "e-mail address", email, "has a host with nothing between two dots; give name@place", "email.none"
        )
    return f"{local}@{host}"


def checked(email: str) -> str:
    """A new address, folded; raises `NameInvalid` for one that no mail can be sent to, or whose letters hide others.

    Stricter than `folded`, by which those who are there already sign in.
    """
    plain = folded(email)
    local, _, host = plain.partition("@")
    if not all(local.split(".")) or not all(_in_name(letter) for letter in local):
        reason = "has before the @ what no address has; give letters, digits and dots between them"
        raise NameInvalid("e-mail address", email, reason, "email.none")
    if not _HOST.fullmatch(host) or host.rpartition(".")[2].isdecimal():
        raise NameInvalid("e-mail address", email, "has no host after the @; give name@place", "email.none")
    hidden = sorted({letter for letter in local if _hides(letter)})
    if hidden:
        told = f"has letters that are drawn like plain ones ({', '.join(hidden)})"
        raise NameInvalid("e-mail address", email, told)
    scripts = {unicodedata.name(letter, "").partition(" ")[0] for letter in plain.partition("@")[0] if letter.isalpha()}
    mixed = sorted(scripts & _ALIKE_SCRIPTS)
    if len(mixed) > 1:
        raise NameInvalid("e-mail address", email, f"mixes letters that look alike ({', '.join(mixed).lower()})")
    return plain


def _in_name(letter: str) -> bool:
    return letter in _PLAIN if letter.isascii() else unicodedata.category(letter)[0] in "LMN"


def _hides(letter: str) -> bool:
    """Whether a letter of the Latin script passes for one of ASCII, or is a mark that could not join its letter."""
    own = unicodedata.name(letter, "")
    return (letter in _ALIKE and own.startswith("LATIN")) or own.startswith("COMBINING")


def look(folded_email: str) -> str:
    """What an address looks like at a glance, name and host: two of one look pass for each other.

    >>> look("сосо@example.org"), look("ada@example.org"), look("ada@xn--80a.org")
    ('coco@example.org', 'ada@example.org', 'ada@a.org')
    """
    local, _, host = folded_email.partition("@")
    if "xn--" in host:
        with contextlib.suppress(idna.IDNAError):
            host = idna.decode(host)
    return f"{local}@{host}".translate(_LOOKS_LIKE)
