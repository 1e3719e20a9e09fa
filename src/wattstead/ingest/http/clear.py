"""Whether what a request says can be read on its way from another machine, and what a port makes of that.

It looks at how a request came; what its key allows is asked in `wattstead.ingest.reception`.
"""

from __future__ import annotations

from collections.abc import Iterable, MutableMapping
from enum import Enum
from functools import lru_cache
from ipaddress import ip_address
from typing import Any


class Clear(Enum):
    """How a request came, in the eyes of the port it came to."""

    NO = "no"
    """Over TLS, or from this machine."""
    BY_KEY = "by key"
    """In the clear, to the port for that: the key decides."""
    NEVER = "never"
    """In the clear, to a port that takes nothing so."""


@lru_cache(4096)
def local(host: str) -> bool:
    """Whether an address is this machine's own way to itself.

    >>> local("127.0.0.7"), local("::1"), local("::ffff:127.0.0.1"), local("192.168.1.5"), local("")
    (True, True, True, False, False)
    """
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return host == "localhost"
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)


def last_told(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> str:
    """The last entry of a header, on however many lines it came: what stands before it may be the client's own word.

    >>> last_told([(b"x-forwarded-for", b"1.2.3.4, 5.6.7.8"), (b"x-forwarded-for", b"9.9.9.9")], b"x-forwarded-for")
    '9.9.9.9'
    """
    lines = [value.decode("latin-1") for key, value in headers if key == name]
    return ",".join(lines).rpartition(",")[2].strip()


def peer_of(scope: MutableMapping[str, Any], trust_forwarded: bool = False) -> str:
    """The address that a request of an ASGI scope came from; with ``trust_forwarded`` as a proxy tells it.

    >>> scope = {"client": ("10.0.0.2", 50_000), "headers": [(b"x-forwarded-for", b"192.168.1.5")]}
    >>> peer_of(scope), peer_of(scope, trust_forwarded=True)
    ('10.0.0.2', '192.168.1.5')
    """
    client = scope.get("client")
    told = last_told(scope["headers"], b"x-forwarded-for")[:60] if trust_forwarded else ""
    return told or (str(client[0]) if client else "")


def in_the_clear(
    scheme: str, peer: str, headers: Iterable[tuple[bytes, bytes]] = (), trust_forwarded: bool = False
) -> bool:
    """Whether somebody between the client and the first machine of ours could read the request.

    ``scheme`` and ``peer`` are those of the connection. With ``trust_forwarded`` what a proxy tells of its own
    connection counts instead (``X-Forwarded-Proto``, the last of ``X-Forwarded-For``).

    >>> in_the_clear("http", "192.168.1.5"), in_the_clear("https", "192.168.1.5"), in_the_clear("http", "127.0.0.1")
    (True, False, False)
    >>> told = [(b"x-forwarded-proto", b"http"), (b"x-forwarded-for", b"192.168.1.5")]
    >>> in_the_clear("http", "127.0.0.1", told), in_the_clear("http", "127.0.0.1", told, trust_forwarded=True)
    (False, True)
    >>> in_the_clear("http", "10.0.0.2", [(b"x-forwarded-proto", b"https")], trust_forwarded=True)
    False
    """
    if scheme == "https":
        return False
    if trust_forwarded:
        given = list(headers)
        if told := last_told(given, b"x-forwarded-proto"):
            return told != "https" and not local(last_told(given, b"x-forwarded-for") or peer)
    return not local(peer)


def came(scope: MutableMapping[str, Any], port: Clear, trust_forwarded: bool = False) -> Clear:
    """How the request of an ASGI scope came; ``port`` is what its port makes of requests in the clear.

    >>> came({"scheme": "http", "client": ("192.168.1.5", 50_000), "headers": []}, Clear.BY_KEY)
    <Clear.BY_KEY: 'by key'>
    """
    client = scope.get("client")
    clear = in_the_clear(scope["scheme"], client[0] if client else "", scope["headers"], trust_forwarded)
    return port if clear else Clear.NO
