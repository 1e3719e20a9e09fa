"""What is published and where, by the settings: the room `egress` with the registry's points and live values."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from wattstead.egress.published import PublishedPoint
from wattstead.egress.settings import EgressSettings
from wattstead.refining.live import Live
from wattstead.registry.registry import Registry
from wattstead.settings import Settings, SettingsInvalid

if TYPE_CHECKING:
    from wattstead.egress.publisher import Publisher


def publisher_of(settings: Settings, registry: Registry, live: Live) -> Publisher | None:
    """None where nothing is to be published; raises `SettingsInvalid`."""
    address = settings.mqtt_publish.get_secret_value()
    if not address:
        return None
    from wattstead.egress.publisher import Publisher  # noqa: PLC0415 - with gmqtt, for those who publish

    sites = _sites(settings.mqtt_publish_sites)
    told = _egress(address, settings)
    return Publisher(told, _points(registry, sites), lambda: sum(registry.counters()), live.subscribe)


def _sites(told: str) -> list[int] | None:
    """The ids of sites; None for all."""
    if told.strip() == "all":
        return None
    try:
        found = [int(one) for one in told.split(",") if one.strip()]
    except ValueError:
        found = []
    if not found:
        raise SettingsInvalid(f"mqtt_publish_sites is {told!r}; expected ids of sites with commas, or all")
    return found


def _egress(address: str, settings: Settings) -> EgressSettings:
    expected = "mqtt://user:password@host:1883/prefix, with # / ? in a password as %23 %2F %3F"
    refused = SettingsInvalid(f"mqtt_publish is no address of a broker; expected like {expected}")
    try:
        where = urlsplit(address)
        port = where.port
    except ValueError:  # its text repeats what may be the password
        raise refused from None
    if where.scheme not in ("mqtt", "mqtts") or not where.hostname or where.query or where.fragment:
        raise refused
    return EgressSettings(
        host=where.hostname,
        port=port or (8883 if where.scheme == "mqtts" else 1883),
        tls=where.scheme == "mqtts",
        authority=settings.mqtt_publish_authority,
        user=unquote(where.username or ""),
        password=unquote(where.password or ""),
        installation=_installation(settings.folder),
        prefix=unquote(where.path.strip("/")) or "wattstead",
        qos=settings.mqtt_publish_qos,
        retain=settings.mqtt_publish_retain,
        discovery=settings.mqtt_publish_discovery,
        every_s=settings.mqtt_publish_every_s,
    )


def _installation(folder: Path) -> str:
    """Eight letters that stay the same for this machine and folder."""
    return hashlib.sha256(f"{uuid.getnode()} {folder.absolute()}".encode()).hexdigest()[:8]


def _points(registry: Registry, site_ids: Sequence[int] | None) -> Callable[[], Sequence[PublishedPoint]]:
    def points() -> Sequence[PublishedPoint]:
        rows = registry.points(site_ids=site_ids)
        sites = registry.site_names()
        return [
            PublishedPoint(
                id=row.point.id,
                site_id=row.site_id,
                site=sites[row.site_id].name if row.site_id in sites else f"site {row.site_id}",
                address=row.address,
                label=row.name or row.address,
                unit=row.point.unit or row.unit_hint,
                kind=row.point.kind,
                quantity=row.point.quantity,
            )
            for row in rows
            if row.retired is None
        ]

    return points
