"""The certificate by which OPC UA servers know this program: made at first use, kept in a folder of the data folder.

A server's people trust it once, by its fingerprint; so it stays the same for as long as the folder does.
"""

from __future__ import annotations

import datetime
import hashlib
import os
import socket
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_YEARS = 20
_BITS = 2048
_KEY, _CERTIFICATE = "opcua.key", "opcua.crt"
_kept: dict[str, Path | None] = {"folder": None}


class Identity(NamedTuple):
    """Certificate and key, and the name that stands in the certificate."""

    certificate: bytes
    """DER."""
    key: bytes
    """PKCS 8, DER."""
    uri: str

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the certificate, by which people compare it."""
        return fingerprint(self.certificate)


def fingerprint(certificate: bytes) -> str:
    """SHA-256 of a certificate's DER bytes, in hexadecimal.

    >>> fingerprint(b"")[:8]
    'e3b0c442'
    """
    return hashlib.sha256(certificate).hexdigest()


def keep_in(folder: Path) -> None:
    """Where the certificate of this process is kept; said once, at its start."""
    _kept["folder"] = folder


def folder() -> Path | None:
    """Where this process keeps what belongs to its OPC UA sources; None: nobody has said."""
    return _kept["folder"]


def identity() -> Identity:
    """The certificate of this process, made where there is none; blocks for a second then. Raises `OSError`."""
    kept = folder()
    if kept is None:
        raise OSError("no folder is set in which the certificate could be kept")
    key_file, certificate_file = kept / _KEY, kept / _CERTIFICATE
    if not certificate_file.exists():
        kept.mkdir(parents=True, exist_ok=True)
        key, certificate = _made()
        _write(key_file, key)
        _write(certificate_file, certificate)
    certificate = certificate_file.read_bytes()
    names = x509.load_der_x509_certificate(certificate).extensions.get_extension_for_class(x509.SubjectAlternativeName)
    (uri,) = names.value.get_values_for_type(x509.UniformResourceIdentifier)
    return Identity(certificate, key_file.read_bytes(), uri)


def _made() -> tuple[bytes, bytes]:
    """A new key and a certificate that vouches for itself, as applications of OPC UA have them (Part 6, 6.2.2)."""
    key = rsa.generate_private_key(65_537, _BITS)
    host = socket.gethostname()
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, "Wattstead"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Wattstead"),
        ]
    )
    names = x509.SubjectAlternativeName([x509.UniformResourceIdentifier(f"urn:{host}:wattstead"), x509.DNSName(host)])
    now = datetime.datetime.now(datetime.UTC)
    usage = {
        "digital_signature": True, "content_commitment": True, "key_encipherment": True, "data_encipherment": True,
        "key_cert_sign": True, "key_agreement": False, "crl_sign": False, "encipher_only": False,
        "decipher_only": False,
    }  # fmt: skip
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=365 * _YEARS))
        .add_extension(names, False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), True)
        .add_extension(x509.KeyUsage(**usage), True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    coded = key.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, plain)
    return coded, certificate.public_bytes(serialization.Encoding.DER)


def _write(path: Path, content: bytes) -> None:
    """A file that only this user can read, whole or not at all."""
    fresh = path.with_suffix(path.suffix + ".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
