"""Which addresses a source may reach: by whatever spelling of them."""

from __future__ import annotations

import ipaddress

import pytest

from wattstead.ingest.sources.outward import AddressRefused, Outward, led_to, networks, resolved

WAYS = {
    "169.254.169.254": "itself",
    "::ffff:169.254.169.254": "mapped",
    "::169.254.169.254": "compatible",
    "64:ff9b::169.254.169.254": "NAT64",
    "64:ff9b:1::169.254.169.254": "NAT64 by a prefix of 96 bits of one's own",
    "64:ff9b:1:a9fe:a9:fe00::": "of 48 bits",
    "2002:a9fe:a9fe::1": "6to4",
    "2001:0:a9fe:a9fe::1": "Teredo, its server",
    "2001:0:c000:201:0:0:5601:5601": "Teredo, its client",
    "fe80::1%eth0": "this link",
}


@pytest.mark.unit
@pytest.mark.parametrize("host", WAYS)
async def test_no_spelling_leads_to_a_refused_network(host: str) -> None:
    outward = Outward(networks("169.254.0.0/16, fe80::/10"))
    for spelt in (host, f"[{host}]"):
        with pytest.raises(AddressRefused):
            await outward.check([spelt])
        with outward.applied(), pytest.raises(AddressRefused):
            await resolved(spelt)


@pytest.mark.unit
@pytest.mark.parametrize("length", [48, 56, 64, 96])
def test_an_address_behind_each_prefix_of_nat64(length: int) -> None:
    """As RFC 6052, 2.2 lays it out: bits 64 to 71 are left out."""
    behind = ipaddress.IPv4Address("198.51.100.77")
    bits = f"{int(behind):032b}"
    prefix = f"{int(ipaddress.IPv6Address('64:ff9b:1:ab:cd:ef01:2345:0')):0128b}"[: 96 if length == 96 else length]
    if length == 96:
        prefix = prefix[:64] + "0" * 8 + prefix[72:]
    laid = prefix + bits
    if length < 96:
        laid = laid[:64] + "0" * 8 + laid[64:]
    assert behind in led_to(ipaddress.IPv6Address(int(laid.ljust(128, "0"), 2)))


@pytest.mark.unit
@pytest.mark.parametrize("host", ["0.0.0.0", "::", "::ffff:0.0.0.0", "0", "localhost", "127.1"])
async def test_no_address_in_particular_is_this_machine(host: str) -> None:
    with pytest.raises(AddressRefused):
        await Outward(networks("127.0.0.0/8, ::1/128")).check([host])


@pytest.mark.unit
async def test_others_are_reached() -> None:
    outward = Outward(networks("169.254.0.0/16, fe80::/10, 0.0.0.0/8"))
    for host in ("192.168.1.5", "::1", "2001:db8::1", "64:ff9b::192.168.1.5", "64:ff9b:1::192.168.1.5", "fd00::1"):
        await outward.check([host])
