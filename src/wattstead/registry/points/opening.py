"""From which addresses a point is read without a key; nobody reads it so until somebody names a range.

Which routes heed it is the web's affair.
"""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from wattstead.registry.errors import PointInvalid

_MOST = 50
Network = IPv4Network | IPv6Network


def checked(text: str) -> str:
    """Ranges as they are kept: networks in their usual spelling, each once, separated by spaces; raises `PointInvalid`.

    >>> checked("192.168.1.17/24, 10.0.0.5 10.0.0.5")
    '192.168.1.0/24 10.0.0.5/32'
    """
    words = text.replace(",", " ").split()
    if len(words) > _MOST:
        raise PointInvalid(f"open_to names {len(words)} address ranges; at most {_MOST} are kept")
    found: dict[str, None] = {}
    for word in words:
        try:
            found[str(ip_network(word, strict=False))] = None
        except ValueError:
            raise PointInvalid(
                f"open_to names {word[:60]!r}, which is no range of addresses; give such as 192.168.1.0/24"
            ) from None
    return " ".join(found)


def opens(ranges: str, address: str) -> bool:
    """Whether a visitor from that network address may read; what is no address may not.

    >>> opens("192.168.1.0/24", "192.168.1.80"), opens("192.168.1.0/24", "::ffff:192.168.1.80"), opens("", "127.0.0.1")
    (True, True, False)
    """
    if not ranges:
        return False
    try:
        visitor: IPv4Address | IPv6Address = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(visitor, IPv6Address) and visitor.ipv4_mapped is not None:
        visitor = visitor.ipv4_mapped
    return any(visitor.version == network.version and visitor in network for network in _networks(ranges))


@lru_cache(1_000)
def _networks(ranges: str) -> tuple[Network, ...]:
    return tuple(ip_network(word) for word in ranges.split())
