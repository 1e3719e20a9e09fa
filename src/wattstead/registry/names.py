"""Which names are allowed: of addresses, sites, points, tags; pure."""

from __future__ import annotations

import re
from zoneinfo import ZoneInfo

from wattstead.registry.errors import AddressInvalid, NameInvalid, ZoneUnknown

LONGEST_NAME = 200
LONGEST_TEXT = 10_000
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""Controls, those of the direction of writing among them: they make a name look like another one."""

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def fault(name: str, longest: int = LONGEST_NAME) -> str:
    """What is wrong with a name, empty when nothing is.

    >>> fault("kitchen"), fault("a\\tb")
    ('', "has the control character '\\\\t'; leave it out")
    >>> fault("  ")
    'has nothing but blanks; give a character that can be seen'
    """
    if not name:
        return "is empty; give at least one character"
    if name.isspace():
        return "has nothing but blanks; give a character that can be seen"
    if len(name) > longest:
        return f"has {len(name)} characters; at most {longest} are allowed"
    unprintable = _UNPRINTABLE.search(name)
    return f"has the control character {unprintable.group()!a}; leave it out" if unprintable else ""


def address_fault(path: str) -> AddressInvalid | None:
    """The error of an address, None when it is allowed."""
    reason = fault(path)
    return AddressInvalid(path, reason) if reason else None


def checked(noun: str, name: str, longest: int = LONGEST_NAME) -> str:
    """The name itself; raises `NameInvalid`."""
    reason = fault(name, longest)
    if reason:
        code = "name.empty" if not name else "name.long" if len(name) > longest else ""
        raise NameInvalid(noun, name, reason, code, longest)
    return name


def checked_text(noun: str, text: str) -> str:
    """Text of several lines that a person wrote; raises `NameInvalid` when it cannot be stored or is a book."""
    if len(text) > LONGEST_TEXT:
        raise NameInvalid(
            noun, text, f"has {len(text)} characters; at most {LONGEST_TEXT} are allowed", "name.long", LONGEST_TEXT
        )
    unstorable = _UNSTORABLE.search(text)
    if unstorable:
        raise NameInvalid(noun, text, f"has the character {unstorable.group()!a}; leave it out")
    return text


def storable(text: str, longest: int) -> str:
    """What a machine said, cut to a length and without what no database stores.

    >>> storable("too\\0 long", 5)
    'too l'
    """
    return _UNSTORABLE.sub("", text[: 2 * longest])[:longest]


def checked_zone(zone: str) -> str:
    """The zone itself; raises `ZoneUnknown`."""
    try:
        ZoneInfo(zone)
    except (OSError, ValueError) as error:  # ZoneInfoNotFoundError is a KeyError; folders raise OSError
        raise ZoneUnknown(zone) from error
    except KeyError as error:
        raise ZoneUnknown(zone) from error
    return zone


def last_part(path: str) -> str:
    """The label of a point that is known by its address alone.

    >>> last_part("emon/5/power1")
    'power1'
    """
    return path.rstrip("/").rpartition("/")[2] or path
