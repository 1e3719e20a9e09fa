"""Trust between an edge and its server: signatures of requests and configurations, secrets that one edge alone opens.

Ed25519 signs, X25519 with HKDF and AES-256-GCM seals; keys travel as base64. Where keys are kept is not known here.
"""

from __future__ import annotations

import hashlib
from base64 import b64decode, b64encode
from binascii import Error as NoBase64

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from wattstead.ingest.errors import IngestError

_KEY_BYTES = 32
_NONCE = b"\0" * 12
"""Each box has a key of its own, used once."""
_SCHEME = "Wattstead-Edge"


class NotTrusted(IngestError):
    """A signature that does not fit, an edge that nobody knows, or a box that is not for us."""

    status = 401


def request_text(path: str, body: bytes) -> bytes:
    """What an edge signs of a request."""
    return b"wattstead edge request\n%b\n%b" % (path.encode(), hashlib.sha256(body).digest())


def document_text(document: bytes, challenge: str) -> bytes:
    """What a server signs of a configuration: for who asked with this challenge, so that it says so now."""
    told = hashlib.sha256(document).digest(), hashlib.sha256(challenge.encode("utf-8", "surrogatepass")).digest()
    return b"wattstead edge configuration\n%b%b" % told


def signature(key: bytes, text: bytes) -> str:
    """Of the text under a private key of 32 bytes.

    >>> verify(public_of(b"k" * 32), b"text", signature(b"k" * 32, b"text"))
    """
    return b64encode(Ed25519PrivateKey.from_private_bytes(key).sign(text)).decode()


def public_of(key: bytes) -> str:
    """The public key that goes with a signing key."""
    return b64encode(Ed25519PrivateKey.from_private_bytes(key).public_key().public_bytes_raw()).decode()


def verify(public: str, text: bytes, given: str) -> None:
    """Raise `NotTrusted` unless the signature is of that text and by that key."""
    try:
        Ed25519PublicKey.from_public_bytes(b64decode(public, validate=True)).verify(b64decode(given), text)
    except (InvalidSignature, ValueError, NoBase64):
        raise NotTrusted("the signature does not fit; an edge has to join anew after its keys are gone") from None


def checked_public(given: str) -> str:
    """A public key as it was sent; raises `NotTrusted` for what is none."""
    try:
        if len(b64decode(given, validate=True)) == _KEY_BYTES:
            return given
    except (ValueError, NoBase64):
        pass
    raise NotTrusted(f"{given[:60]!r} is no public key: 32 bytes in base64 are one")


def authorization(edge_id: int, key: bytes, path: str, body: bytes) -> str:
    """The Authorization header of a request."""
    return f"{_SCHEME} {edge_id} {signature(key, request_text(path, body))}"


def authorized(header: str) -> tuple[int, str]:
    """Edge and signature in a header; raises `NotTrusted`."""
    parts = header.split()
    if len(parts) != 3 or parts[0] != _SCHEME or not parts[1].isdecimal() or len(parts[1]) > 9:
        raise NotTrusted(f"no edge has signed this; send Authorization: {_SCHEME} ID SIGNATURE")
    return int(parts[1]), parts[2]


def sealing_public_of(key: bytes) -> str:
    """The public key that goes with a key that opens boxes."""
    return b64encode(X25519PrivateKey.from_private_bytes(key).public_key().public_bytes_raw()).decode()


def sealed(public: str, secret: bytes) -> str:
    """A box that only the holder of the key opens.

    >>> key = bytes(range(32))
    >>> opened(key, sealed(sealing_public_of(key), b"hunter2"))
    b'hunter2'
    """
    own = X25519PrivateKey.generate()
    other = X25519PublicKey.from_public_bytes(b64decode(public))
    mine = own.public_key().public_bytes_raw()
    box = AESGCM(_box_key(own.exchange(other), mine)).encrypt(_NONCE, secret, None)
    return b64encode(mine + box).decode()


def opened(key: bytes, box: str) -> bytes:
    """What is in a box; raises `NotTrusted` when it was sealed for another key."""
    try:
        whole = b64decode(box, validate=True)
        theirs = X25519PublicKey.from_public_bytes(whole[:_KEY_BYTES])
        shared = X25519PrivateKey.from_private_bytes(key).exchange(theirs)
        return AESGCM(_box_key(shared, whole[:_KEY_BYTES])).decrypt(_NONCE, whole[_KEY_BYTES:], None)
    except (InvalidTag, ValueError, NoBase64):
        raise NotTrusted("a box of secrets that is not for this edge; let it join anew") from None


def _box_key(shared: bytes, public: bytes) -> bytes:
    return HKDF(hashes.SHA256(), _KEY_BYTES, public, b"wattstead edge secrets").derive(shared)
