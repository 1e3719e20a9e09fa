"""Secrets that a person carries in a cookie or a link: random, and stored as their hash alone."""

from __future__ import annotations

import hashlib
import secrets


def fresh() -> str:
    """A new token of 256 random bits that may stand in an address."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> bytes:
    """What is stored of a token; it is too random to be guessed from this."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
