"""Attributes of sites, devices and people: which there are, of what kind, within what range; asks no database.

One table for everything that speaks of attributes by name: changing, searching, exporting, importing.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any

import msgspec

from wattstead.registry import names
from wattstead.registry.errors import AttributeInvalid

LONGEST = 200


class Kind(StrEnum):
    """What the values of an attribute are."""

    TEXT = "text"
    NUMBER = "number"
    WHOLE = "whole"
    DATE = "date"
    INSTANT = "instant"
    YES = "yes"
    ZONE = "zone"


class Attribute(msgspec.Struct, frozen=True):
    """One attribute; ``least`` and ``most`` bound numbers, and the length of texts."""

    name: str
    kind: Kind = Kind.TEXT
    least: float = 0
    most: float = LONGEST
    choices: tuple[str, ...] = ()
    given: bool = True
    """Whether people may give it; else it is found out here."""
    required: bool = False


def _table(*rows: Attribute) -> Mapping[str, Attribute]:
    return {row.name: row for row in rows}


def _texts(*given: str) -> tuple[Attribute, ...]:
    return tuple(Attribute(name) for name in given)


def _number(name: str, least: float, most: float) -> Attribute:
    return Attribute(name, Kind.NUMBER, least, most)


_HEARD = (
    Attribute("connection_state", given=False),
    Attribute("completeness", Kind.NUMBER, given=False),
    Attribute("last_seen", Kind.INSTANT, given=False),
)
SITE = _table(
    Attribute("id", Kind.WHOLE, given=False),
    Attribute("name", required=True),
    Attribute("zone", Kind.ZONE, required=True),
    Attribute("state", choices=("active", "disabled"), required=True),
    *_texts("customer_number", "address", "city", "postal_code", "country"),
    _number("latitude", -90, 90),
    _number("longitude", -180, 180),
    *_texts("delivery_point", "subscription_number"),
    _number("subscribed_power_w", 0, 1e10),
    _number("hourly_maximum_wh", 0, 1e10),
    *_texts("dwelling"),
    Attribute("occupants", Kind.WHOLE, 0, 1_000_000),
    _number("area_m2", 0, 1e8),
    *_texts("heating", "eligibility_phase", "business_case", "cluster"),
    _number("peak_power_w", 0, 1e10),
    _number("tilt_deg", 0, 90),
    _number("azimuth_deg", 0, 360),
    *_texts("inverter"),
    Attribute("installed_on", Kind.DATE),
    Attribute("note", most=names.LONGEST_TEXT),
    *_HEARD,
    Attribute("created", Kind.INSTANT, given=False),
)
DEVICE = _table(
    Attribute("id", Kind.WHOLE, given=False),
    Attribute("name", required=True),
    Attribute("site_id", Kind.WHOLE, given=False),
    *_texts("serial_number", "hardware_version", "firmware", "connection", "pairing_state"),
    Attribute("posting", Kind.YES, given=False),
    Attribute("template", given=False),
    Attribute("revision", Kind.WHOLE, given=False),
    Attribute("prefix", given=False),
    *_HEARD,
    Attribute("mobile_bytes", Kind.WHOLE, given=False),
    Attribute("mobile_budget_bytes", Kind.WHOLE, 0, 2**60),
    Attribute("note", most=names.LONGEST_TEXT),
    Attribute("created", Kind.INSTANT, given=False),
)
PERSON = _table(
    Attribute("id", Kind.WHOLE, given=False),
    Attribute("name"),
    Attribute("email", given=False),
    Attribute("state", choices=("invited", "active", "disabled"), given=False),
    *_texts("phone", "mobile_phone", "phone_type", "operating_system", "application_version", "privacy_state"),
    *_texts("locale"),
    Attribute("verified", Kind.INSTANT, given=False),
    Attribute("last_seen", Kind.INSTANT, given=False),
    Attribute("created", Kind.INSTANT, given=False),
)
OF_EVERYBODY = ("id", "email", "created")
"""What is told of a person who belongs elsewhere, and only has a role at a site within reach."""
_NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?")


def checked(attributes: Mapping[str, Attribute], given: Mapping[str, object]) -> dict[str, Any]:
    """The given attributes as they are stored; raises `AttributeInvalid`, naming the first that is not as it must be.

    >>> checked(SITE, {"tilt_deg": 30, "installed_on": "2024-05-01"})
    {'tilt_deg': 30.0, 'installed_on': datetime.date(2024, 5, 1)}
    """
    return {name: _checked(attributes, name, value) for name, value in given.items()}


def _checked(attributes: Mapping[str, Attribute], name: str, value: object) -> Any:
    attribute = attributes.get(name)
    if attribute is None or not attribute.given:
        raise AttributeInvalid(name, "is no attribute that can be given")
    if attribute.kind is Kind.ZONE:
        return names.checked_zone(str(value))
    if attribute.kind is Kind.TEXT:
        return _text(attribute, "" if value is None else value)
    return None if value is None or value == "" else _within(attribute, read(attribute, value))


def read(attribute: Attribute, value: object) -> Any:
    """A value of the attribute's kind, from itself or from text as in a file or an address.

    Raises `AttributeInvalid`.
    """
    name = attribute.name
    if attribute.kind in (Kind.TEXT, Kind.ZONE):
        return str(value)
    if attribute.kind is Kind.YES:
        return _yes(name, value)
    if attribute.kind is Kind.DATE:
        return _date(name, value)
    if attribute.kind is Kind.INSTANT:
        return _instant(name, value)
    number = _float(name, value)
    if attribute.kind is Kind.NUMBER:
        return number
    if number != int(number):
        raise AttributeInvalid(name, f"is {number:g}; give a whole number", "number.whole")
    return int(number)


def _within(attribute: Attribute, value: Any) -> Any:
    if attribute.kind in (Kind.NUMBER, Kind.WHOLE) and not attribute.least <= value <= attribute.most:
        reason = f"is {value:g}; give {attribute.least:g} to {attribute.most:g}"
        raise AttributeInvalid(attribute.name, reason, "number.range", attribute.least, attribute.most)
    return value


def _text(attribute: Attribute, value: object) -> str:
    if not isinstance(value, str):
        raise AttributeInvalid(attribute.name, "is not a text")
    text = value.strip()
    if attribute.most > LONGEST:
        return names.checked_text(attribute.name, value)
    if attribute.choices and text not in attribute.choices:
        raise AttributeInvalid(attribute.name, f"is {text[:40]!r}; give one of {', '.join(attribute.choices)}")
    return names.checked(attribute.name, text) if text or attribute.required else ""


def _yes(name: str, value: object) -> bool:
    if isinstance(value, bool):
        return value
    text = str(value).strip().lower()
    if text not in ("yes", "no", "true", "false", "1", "0"):
        raise AttributeInvalid(name, f"is {text[:40]!r}; give yes or no")
    return text in ("yes", "true", "1")


def _float(name: str, value: object) -> float:
    text = str(value).strip()
    if isinstance(value, bool) or not _NUMBER.fullmatch(text) or not math.isfinite(float(text.replace(",", "."))):
        raise AttributeInvalid(name, f"is {text[:40]!r}; give a number", "number.none")
    return float(text.replace(",", "."))


def _date(name: str, value: object) -> date:
    try:
        found = value if isinstance(value, date) else date.fromisoformat(str(value).strip()[:40])
        found = found.date() if isinstance(found, datetime) else found
    except ValueError:
        raise AttributeInvalid(name, f"is {str(value)[:40]!r}; give a date such as 2026-05-31", "date.none") from None
    if not date(1800, 1, 1) <= found < date(2200, 1, 1):
        raise AttributeInvalid(name, f"is {found}; give a date between 1800 and 2200")
    return found


def _instant(name: str, value: object) -> datetime:
    try:
        found = value if isinstance(value, datetime) else datetime.fromisoformat(str(value).strip()[:60])
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise AttributeInvalid(name, f"is {str(value)[:40]!r}; give ISO 8601 such as 2026-05-31T10:00:00Z") from None
