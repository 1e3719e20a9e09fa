"""Pair: a certificate chain and its key, checked to fit; what its holder needs to know of it, and its TLS context.

It does not say where pairs come from, nor when one is due.
"""

from __future__ import annotations

import os
import ssl
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from wattstead.certificates.errors import PairBroken

_PUBLIC = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


class Pair:
    """A chain (leaf first) and the leaf's key, both PEM."""

    def __init__(self, chain: bytes, key: bytes, where: str = "the certificate") -> None:
        """Raises `PairBroken` when they cannot be read or do not belong together; ``where`` is what messages name."""
        try:
            certificates = x509.load_pem_x509_certificates(chain)
        except ValueError as error:
            raise PairBroken(where, f"no certificate in PEM ({error})") from None
        try:
            private = load_pem_private_key(key, None)
        except TypeError:
            raise PairBroken(where, "the key is protected by a passphrase; give it without one") from None
        except ValueError as error:
            raise PairBroken(where, f"no private key in PEM ({error})") from None
        self.chain, self.key, self.leaf = chain, key, certificates[0]
        if private.public_key().public_bytes(*_PUBLIC) != self.leaf.public_key().public_bytes(*_PUBLIC):
            raise PairBroken(where, "the key is not the one of the certificate; give the two that belong together")
        try:
            self._fill(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
        except ssl.SSLError as error:
            raise PairBroken(where, f"TLS cannot use it ({error.reason or error})") from None

    @property
    def begins(self) -> datetime:
        """From when it holds."""
        return self.leaf.not_valid_before_utc

    @property
    def ends(self) -> datetime:
        """Until when it holds."""
        return self.leaf.not_valid_after_utc

    @property
    def names(self) -> frozenset[str]:
        """The names and addresses it is for."""
        try:
            found = self.leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        except x509.ExtensionNotFound:
            return frozenset()
        addresses = (str(address) for address in found.get_values_for_type(x509.IPAddress))
        return frozenset(found.get_values_for_type(x509.DNSName)) | frozenset(addresses)

    @property
    def own(self) -> bool:
        """Whether it vouches for itself, so that nobody else does."""
        return self.leaf.issuer == self.leaf.subject

    def holds(self, now: datetime) -> bool:
        """Whether it holds at that moment."""
        return self.begins <= now < self.ends

    def due(self, now: datetime) -> bool:
        """Whether less than a third of its time is left."""
        return now >= self.ends - (self.ends - self.begins) / 3

    def of(self, authority: x509.Certificate) -> bool:
        """Whether that authority signed it."""
        try:
            self.leaf.verify_directly_issued_by(authority)
        except (ValueError, TypeError, InvalidSignature):
            return False
        return True

    def context(self) -> ssl.SSLContext:
        """For a server: TLS 1.2 and newer, HTTP/1.1."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.options |= ssl.OP_NO_RENEGOTIATION
        context.set_alpn_protocols(["http/1.1"])
        self._fill(context)
        return context

    def _fill(self, context: ssl.SSLContext) -> None:
        with tempfile.NamedTemporaryFile(prefix="wattstead-", suffix=".pem") as file:  # others cannot read it
            file.write(self.key + b"\n" + self.chain)
            file.flush()
            context.load_cert_chain(file.name)


def read_pair(certificate: Path, key: Path) -> Pair:
    """The pair in two files, which may be one; raises `PairBroken`."""
    where = f"{certificate} with {key}"
    try:
        return Pair(certificate.read_bytes(), key.read_bytes(), where)
    except OSError as error:
        raise PairBroken(where, f"{error.filename} cannot be read ({error.strerror})") from None


def save_pair(pair: Pair, certificate: Path, key: Path) -> None:
    """Write both; whoever reads between the two finds a pair that does not fit, and makes another."""
    save(key, pair.key)
    save(certificate, pair.chain)


def save(path: Path, content: bytes) -> None:
    """Write a file that only this user can read, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def fresh_key() -> ec.EllipticCurvePrivateKey:
    """A key of the kind every client of today takes: P-256."""
    return ec.generate_private_key(ec.SECP256R1())


def key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """A key as it is written down."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def stand_in(names: frozenset[str], now: datetime | None = None) -> Pair:
    """A pair that vouches for itself, for the time until an authority has answered."""
    now, key = now or datetime.now(UTC), fresh_key()
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Wattstead, waiting for its certificate")])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=7))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in sorted(names)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    return Pair(made.public_bytes(Encoding.PEM), key_pem(key))
