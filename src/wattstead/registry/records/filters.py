"""What is asked of a list: conditions by name; which names there are is the business of each list."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Asks(StrEnum):
    """What a filter asks of a value."""

    IN = "in"
    """One of the values given; one value: equals."""
    PREFIX = "prefix"
    CONTAINS = "contains"
    """The text somewhere in it, in capitals or not."""
    FROM = "from"
    """That or more; a day: from its beginning."""
    TO = "to"
    """That or less; a day: to its end."""
    EMPTY = "empty"
    """``yes``: nobody has told it; ``no``: somebody has."""


class Filter(msgspec.Struct, frozen=True):
    """One condition; ``name`` is an attribute, ``tag.KEY``, ``organization_id``, ``branch``, of people
    ``second_factor``, or one of another kind of thing: ``device.firmware`` of sites, ``site.city`` of devices,
    ``person.email`` of sites.
    """

    name: str
    test: Asks
    values: tuple[str, ...]
