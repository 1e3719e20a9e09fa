"""EmonCMS's encrypted form, for devices that cannot do HTTPS: AES-128-CBC with an HMAC under the write key.

It needs a key whose secret the registry keeps sealed, and has no protection against a packet that is sent again;
a repeated packet with a time is stored once, as any repetition is.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from wattstead.ingest.decoding.unpack import inflated
from wattstead.ingest.errors import BodyInvalid, IngestError
from wattstead.ingest.resolving.resolver import Resolver

SEALED_KINDS = ("aes128cbc", "aes128cbcgz")
_BLOCK = 16


class SealRefused(IngestError):
    """An encrypted request that does not open; EmonCMS's words, with status 200 as its senders expect."""

    status = 200


def opened(authorization: str, body: bytes, kind: str, resolver: Resolver, most_bytes: int) -> tuple[str, bytes, bytes]:
    """The key's secret, the request string, and the hash that the answer has to be; raises `SealRefused`.

    ``authorization`` is ``KEY-ID:HMAC``, the body the base64 of initial vector and ciphertext.
    """
    if not authorization:
        raise SealRefused("missing authorization header")
    identity, colon, given = authorization.partition(":")
    if not colon or ":" in given:
        raise SealRefused("authorization header format should be userid:hmac")
    sealed = resolver.sealed(int(identity)) if identity.isdecimal() and len(identity) < 10 else None
    if sealed is None:
        raise SealRefused("User not found")
    if not body:
        raise SealRefused("no content in post body")
    key = binascii.unhexlify(sealed.secret)
    plain = _decrypted(key, body)
    if plain is None or not hmac.compare_digest(hmac.new(key, plain, "sha256").hexdigest(), given.strip().lower()):
        raise SealRefused("invalid data")
    hashed = base64.urlsafe_b64encode(hashlib.sha256(plain).digest())
    if kind == "aes128cbcgz":
        try:
            plain = inflated(plain, "deflate", most_bytes)
        except BodyInvalid:
            raise SealRefused("invalid data") from None
    return sealed.secret, plain, hashed


def _decrypted(key: bytes, body: bytes) -> bytes | None:
    """The plain text; None when it cannot be decrypted. The HMAC decides, so a wrong padding tells nothing more."""
    text = body.strip().replace(b"+", b"-").replace(b"/", b"_")
    try:
        packed = base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4))
        if len(packed) < 2 * _BLOCK or len(packed) % _BLOCK:
            return None
        decryptor = Cipher(algorithms.AES128(key), modes.CBC(packed[:_BLOCK])).decryptor()
        unpadder = PKCS7(8 * _BLOCK).unpadder()
        padded = decryptor.update(packed[_BLOCK:]) + decryptor.finalize()
        return unpadder.update(padded) + unpadder.finalize()
    except (ValueError, binascii.Error):
        return None
