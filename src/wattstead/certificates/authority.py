"""Authority: a certificate authority of this machine alone, for homes and plants without a public name.

It vouches only for names and addresses of private networks and for those the machine had when it was made, so that
whoever steals its key cannot pretend to be a bank. It hands out nothing to anybody else.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv4Network, IPv6Network, ip_network
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID

from wattstead.certificates.errors import AuthorityBroken
from wattstead.certificates.machine import Address, as_address
from wattstead.certificates.pair import Pair, fresh_key, key_pem, save

FOLDER = "tls"
"""Where certificates and keys of our own lie, in the product's folder."""
CERTIFICATE, KEY = "authority.crt", "authority.key"
LEAF_DAYS = 397
"""The longest that browsers and phones accept."""
_YEARS = 10
_CLOCKS = timedelta(days=1)
"""How far the clocks of clients may be behind."""
_ZONES = ("localhost", "local", "home.arpa", "internal", "intranet", "lan", "home", "localdomain", "fritz.box")
_NETWORKS: tuple[IPv4Network | IPv6Network, ...] = tuple(
    ip_network(text)
    for text in (
        *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "169.254.0.0/16", "100.64.0.0/10"),
        *("::1/128", "fc00::/7", "fe80::/10"),
    )
)


class Authority:
    """Its certificate and key; the key never leaves this object and its file."""

    def __init__(self, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
        self.certificate, self._key = certificate, key
        found = certificate.extensions.get_extension_for_class(x509.NameConstraints).value
        permitted = found.permitted_subtrees or []
        self._zones = tuple(str(one.value) for one in permitted if isinstance(one, x509.DNSName))
        values = [one.value for one in permitted if isinstance(one, x509.IPAddress)]
        self._networks = tuple(value for value in values if isinstance(value, IPv4Network | IPv6Network))

    @property
    def der(self) -> bytes:
        """The certificate as phones take it."""
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def pem(self) -> bytes:
        """The same in PEM, as programs such as curl read it."""
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def fingerprint(self) -> str:
        """By which a person tells two authorities apart: SHA-256, in pairs of digits."""
        return self.certificate.fingerprint(hashes.SHA256()).hex(":").upper()

    @property
    def name(self) -> str:
        """As it stands in the list of a phone."""
        return str(self.certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value)

    def permits(self, name: str) -> bool:
        """Whether it may vouch for a name or an address."""
        address = as_address(name)
        if address is not None:
            return any(address.version == one.version and address in one for one in self._networks)
        return any(name == zone or name.endswith(f".{zone}") for zone in self._zones)

    def leaf(self, names: Iterable[str], now: datetime) -> Pair:
        """A pair for those of the names and addresses that it may vouch for."""
        key, wanted = fresh_key(), sorted(name for name in names if self.permits(name))
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Wattstead")])
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        made = (
            _builder(subject, self.certificate.subject, key)
            .not_valid_before(max(now - _CLOCKS, self.certificate.not_valid_before_utc))
            .not_valid_after(min(now - _CLOCKS + timedelta(days=LEAF_DAYS), self.certificate.not_valid_after_utc))
            .add_extension(x509.SubjectAlternativeName([_general(name) for name in wanted]), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(authority=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(issuer, critical=False)
            .sign(self._key, hashes.SHA256())
        )
        return Pair(made.public_bytes(Encoding.PEM), key_pem(key))


def open_authority(folder: Path, names: Iterable[str], now: datetime | None = None) -> Authority:
    """The authority in a folder, made at the first time; ``names`` are those it has to vouch for beside private ones.

    Raises `AuthorityBroken` when its files are not whole: another one is never made in silence.
    """
    certificate, key = folder / CERTIFICATE, folder / KEY
    if not certificate.exists() and not key.exists():
        made, secret = _made(names, now or datetime.now(UTC))
        save(key, key_pem(secret))
        save(certificate, made.public_bytes(Encoding.PEM))
    return read_authority(folder)


def read_authority(folder: Path) -> Authority:
    """The authority in a folder; raises `AuthorityBroken`."""
    try:
        found = x509.load_pem_x509_certificate((folder / CERTIFICATE).read_bytes())
        secret = load_pem_private_key((folder / KEY).read_bytes(), None)
    except FileNotFoundError as error:
        raise AuthorityBroken(folder, f"{error.filename} is missing") from None
    except (OSError, ValueError, TypeError) as error:
        raise AuthorityBroken(folder, str(error)) from None
    if not isinstance(secret, ec.EllipticCurvePrivateKey) or secret.public_key() != found.public_key():
        raise AuthorityBroken(folder, "the key is not the one of the certificate")
    return Authority(found, secret)


def authority_file(folder: Path) -> Path | None:
    """The certificate of the local authority of a product's folder; None when it has none."""
    path = folder / FOLDER / CERTIFICATE
    return path if path.exists() else None


def _made(names: Iterable[str], now: datetime) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    key = fresh_key()
    own = socket.gethostname().partition(".")[0]
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, f"Wattstead on {own} {now:%Y-%m-%d}"[:64])])
    made = (
        _builder(name, name, key)
        .not_valid_before(now - _CLOCKS)
        .not_valid_after(now + timedelta(days=365 * _YEARS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(authority=True), critical=True)
        .add_extension(x509.NameConstraints(_permitted(names), None), critical=True)
        .sign(key, hashes.SHA256())
    )
    return made, key


def _permitted(names: Iterable[str]) -> list[x509.GeneralName]:
    zones, networks = dict.fromkeys(_ZONES), dict.fromkeys(_NETWORKS)
    for name in sorted(names):
        address = as_address(name)
        if address is None:
            zones[name] = None
        elif not any(address.version == one.version and address in one for one in networks):
            networks[_around(address)] = None
    return [*(x509.DNSName(zone) for zone in zones), *(x509.IPAddress(network) for network in networks)]


def _around(address: Address) -> IPv4Network | IPv6Network:
    """An IPv4 address alone; of IPv6 its network, in which a machine changes its own."""
    return ip_network((address, 32 if isinstance(address, IPv4Address) else 64), strict=False)


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _usage(authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority, key_cert_sign=authority, crl_sign=authority, content_commitment=False,
        key_encipherment=False, data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip


def _general(name: str) -> x509.GeneralName:
    address = as_address(name)
    return x509.DNSName(name) if address is None else x509.IPAddress(address)
