"""Which addresses a source may reach: connecting out is a power, and some of this machine's neighbours are nobody's."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

from wattstead.ingest.errors import IngestError

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_COMPATIBLE, _NAT64 = ipaddress.IPv6Network("::/96"), ipaddress.IPv6Network("64:ff9b::/96")
_NAT64_LOCAL = ipaddress.IPv6Network("64:ff9b:1::/48")
"""Of which a network makes prefixes of any length its own."""
_NOWHERE = ipaddress.IPv4Network("0.0.0.0/8")
"""What a wrong guess of the length mostly gives; nobody is there."""
_LOOPBACK: list[Address] = [ipaddress.IPv4Address("127.0.0.1"), ipaddress.IPv6Address("::1")]
"""Where who connects to no address in particular ends."""
_LOW = (1 << 32) - 1


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

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Within, `resolved` goes by this, for those who find out by themselves where they connect to."""
        token = _applied.set(self)
        try:
            yield
        finally:
            _applied.reset(token)

    async def check(self, hosts: Iterable[str]) -> None:
        """Raise `AddressRefused` when one of these names or addresses leads to a refused network.

        A name that cannot be found passes: whoever connects says so. A name may lead elsewhere a moment later, so this
        keeps honest people from mistakes and makes abuse hard; a firewall makes it impossible.
        """
        if not self.refused:
            return
        for host in hosts:
            if self._is_among_refused(await _addresses(host)):
                raise AddressRefused(host)

    def _is_among_refused(self, addresses: Iterable[Address]) -> bool:
        ends = [end for one in addresses for end in led_to(one)]
        return any(one.version == net.version and one in net for one in ends for net in self.refused)


_ANYWHERE = Outward()
_applied: ContextVar[Outward] = ContextVar("outward")


async def resolved(host: str) -> list[str]:
    """The addresses of a host, all of which may be reached from where this runs; empty where it cannot be found.

    Whoever connects to one of them, and not to the name, cannot be led elsewhere meanwhile. Raises `AddressRefused`.
    """
    found = await _addresses(host)
    if _applied.get(_ANYWHERE)._is_among_refused(found):
        raise AddressRefused(host)
    return list(dict.fromkeys(str(address) for address in found))


async def _addresses(host: str) -> list[Address]:
    name = host.strip("[]").partition("%")[0]
    try:
        found = [ipaddress.ip_address(name)]
    except ValueError:
        try:
            told = await asyncio.get_running_loop().getaddrinfo(name, None, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            return []
        found = [ipaddress.ip_address(str(one[4][0]).partition("%")[0]) for one in told]
    return found


def led_to(address: Address) -> list[Address]:
    """The address, and those to which it may lead beside: of IPv6 mapped and compatible ones, and those through NAT64
    (RFC 6052), 6to4 and Teredo; of no address in particular this machine.

    >>> [str(one) for one in led_to(ipaddress.IPv6Address("64:ff9b::169.254.169.254"))]
    ['64:ff9b::a9fe:a9fe', '169.254.169.254']
    """
    behind = _behind(address) if isinstance(address, ipaddress.IPv6Address) else []
    return [address, *behind, *(_LOOPBACK if any(one.is_unspecified for one in (address, *behind)) else ())]


def _behind(address: ipaddress.IPv6Address) -> list[ipaddress.IPv4Address]:
    number = int(address)
    found = [one for one in (address.ipv4_mapped, address.sixtofour, *(address.teredo or ())) if one]
    if (address in _COMPATIBLE and number > 1) or address in _NAT64:
        found.append(ipaddress.IPv4Address(number & _LOW))
    if address in _NAT64_LOCAL:
        narrow = number >> 64 << 56 | number & (1 << 56) - 1  # without the octet that none of them uses
        guessed = [number, *(narrow >> 120 - 32 - length for length in (48, 56, 64))]
        found += [one for bits in guessed if (one := ipaddress.IPv4Address(bits & _LOW)) not in _NOWHERE]
    return found
