"""Under which names and addresses this machine can be reached in its own network; asks the system, no name server."""

from __future__ import annotations

import contextlib
import fcntl
import re
import socket
import struct
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

Address = IPv4Address | IPv6Address
_SIOCGIFADDR = 0x8915
_TEMPORARY, _TENTATIVE, _LINK = 0x01, 0x40, 0x20
_NAME = re.compile(r"(?=.{1,253}$)([a-z0-9_]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9_]([a-z0-9-]{0,61}[a-z0-9])?")


def names() -> frozenset[str]:
    """Host names: the machine's own, with ``.local`` as neighbours ask for it, and ``localhost``."""
    own = socket.gethostname().lower().rstrip(".")
    short = own.partition(".")[0]
    return frozenset(name for name in ("localhost", own, short, f"{short}.local") if is_name(name))


def neighbourly() -> str:
    """The name by which neighbours find this machine without a name server; empty when it has none."""
    name = f"{socket.gethostname().lower().partition('.')[0]}.local"
    return name if is_name(name) else ""


def outward() -> str:
    """The address from which this machine speaks to others; empty when it is alone."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe, contextlib.suppress(OSError):
        probe.connect(("192.0.2.1", 9))  # nothing is sent
        return str(probe.getsockname()[0])
    return ""


def is_name(text: str) -> bool:
    """Whether a text can be the name of a host.

    >>> is_name("energy.example.org"), is_name("192.168.1.5"), is_name("*.example.org"), is_name("")
    (True, False, False, False)
    """
    return bool(_NAME.fullmatch(text)) and as_address(text) is None


def as_address(text: str) -> Address | None:
    """The address in a text; None when it is none.

    >>> as_address("[fd00::5]"), as_address("example.org")
    (IPv6Address('fd00::5'), None)
    """
    try:
        return ip_address(text.strip("[]").partition("%")[0])
    except ValueError:
        return None


def addresses() -> frozenset[Address]:
    """The machine's addresses, without those of one link and those that change every day."""
    found: set[Address] = {IPv4Address("127.0.0.1"), IPv6Address("::1")}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        for _, interface in socket.if_nameindex():
            with contextlib.suppress(OSError):  # an interface without an address
                asked = struct.pack("256s", interface.encode()[:15])
                told = fcntl.ioctl(probe.fileno(), _SIOCGIFADDR, asked)
                found.add(IPv4Address(told[20:24]))
    if outward():
        found.add(IPv4Address(outward()))  # where the call above is another
    with contextlib.suppress(OSError):
        for line in Path("/proc/net/if_inet6").read_text().splitlines():
            digits, _, _, scope, flags, _ = line.split()
            if not int(flags, 16) & (_TEMPORARY | _TENTATIVE) and int(scope, 16) != _LINK:
                found.add(IPv6Address(int(digits, 16)))
    return frozenset(address for address in found if not address.is_unspecified and not address.is_multicast)
