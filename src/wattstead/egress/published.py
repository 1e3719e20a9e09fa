"""PublishedPoint: a point as other systems are to see it, and the topic it has; pure."""

from __future__ import annotations

import re

import msgspec

from wattstead.metering.quantity import Kind, Quantity

_NO_TOPIC = re.compile("[+#\0]")


class PublishedPoint(msgspec.Struct, frozen=True, kw_only=True):
    """One point of a site."""

    id: int
    site_id: int
    site: str
    """Name of the site."""
    address: str
    """By which its sender calls it; one point of the site has it for ever."""
    label: str
    """What people call it."""
    unit: str = ""
    kind: Kind = Kind.GAUGE
    quantity: Quantity = Quantity.UNKNOWN


def topic_of(point: PublishedPoint, prefix: str) -> str:
    """Where its values go; renaming it does not change that.

    >>> topic_of(PublishedPoint(id=7, site_id=1, site="Home", address="emon/tx/power+1", label="P"), "wattstead")
    'wattstead/1/emon/tx/power_1'
    """
    return f"{prefix}/{point.site_id}/{_NO_TOPIC.sub('_', point.address)}"
