"""Which addresses a source may reach: connecting out is a power, and some of this machine's neighbours are nobody's."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Iterable, Sequence

from wattstead.ingest.errors import IngestError

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class AddressRefused(IngestError):
    """A host that sources may not reach from here."""

    status = 403

    def __init__(self, host: str) -> None:
        self.host = host
        super().__init__(f"{host[:100]} is not to be reached from this server; whoever runs it can allow it")


def networks(text: str) -> tuple[Network, ...]:
    """Networks from a text with commas; raises `ValueError` naming what is none.

    >>> networks("169.254.0.0/16, fe80::/10")[0]
    IPv4Network('169.254.0.0/16')
    """
    return tuple(ipaddress.ip_network(one.strip(), strict=False) for one in text.split(",") if one.strip())


class Outward:
    """The networks that no source reaches."""

    def __init__(self, refused: Sequence[Network] = ()) -> None:
        self.refused = tuple(refused)

    async def check(self, hosts: Iterable[str]) -> None:
        """Raise `AddressRefused` when one of these names or addresses leads to a refused network.

        A name that cannot be found passes: whoever connects says so. A name may lead elsewhere a moment later, so this
        keeps honest people from mistakes and makes abuse hard; a firewall makes it impossible.
        """
        if not self.refused:
            return
        for host in hosts:
            for address in await _addresses(host):
                if any(address.version == one.version and address in one for one in self.refused):
                    raise AddressRefused(host)


async def _addresses(host: str) -> list[ipaddress.IPv4Address | ipaddress.IPv6Address]:
    name = host.strip("[]").partition("%")[0]
    try:
        found = [ipaddress.ip_address(name)]
    except ValueError:
        try:
            told = await asyncio.get_running_loop().getaddrinfo(name, None, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            return []
        found = [ipaddress.ip_address(str(one[4][0]).partition("%")[0]) for one in told]
    mapped = [one.ipv4_mapped for one in found if isinstance(one, ipaddress.IPv6Address) and one.ipv4_mapped]
    return [*found, *mapped]
