"""Keeping a key's secret readable where a protocol needs it, encrypted under a secret of the installation.

A database alone, or its backup, does not reveal sealed secrets; the file with the secret stands beside it.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from wattstead.registry.errors import RegistryError

_NONCE_BYTES = 12


class SealBroken(RegistryError):
    """A sealed secret that another installation's secret has sealed."""

    def __init__(self) -> None:
        super().__init__("a sealed key does not open with this installation's secret; make a new key")


class Seal:
    """Closes and opens short secrets (AES-256-GCM)."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self._cipher = AESGCM(secret)

    @classmethod
    def of_file(cls, path: Path) -> Seal:
        """The seal of the secret in a file, made at first use and readable by its owner alone."""
        if not path.exists():
            fresh = path.with_suffix(f".{secrets.token_hex(4)}")
            handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(AESGCM.generate_key(256))
                file.flush()
                os.fsync(file.fileno())
            try:
                os.link(fresh, path)
            except FileExistsError:
                pass  # another process made it at the same moment; its secret stands
            finally:
                fresh.unlink()
        return cls(path.read_bytes())

    def derived(self, purpose: str) -> bytes:
        """Another secret of 32 bytes, the same one for the same purpose each time; it tells nothing of this one."""
        return HKDF(hashes.SHA256(), 32, None, purpose.encode()).derive(self._secret)

    def close(self, secret: str) -> bytes:
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, secret.encode(), None)

    def open(self, sealed: bytes) -> str:
        """Raises `SealBroken`."""
        try:
            return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], None).decode()
        except InvalidTag as error:
            raise SealBroken from error
