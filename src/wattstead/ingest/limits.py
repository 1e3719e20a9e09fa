"""IngestLimits: how much one request, one key and all requests together may bring; says nothing about the disk."""

from __future__ import annotations

import msgspec

MB = 1_000_000


class IngestLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Sizes are bytes, rates are readings per second; each receiving process applies them by itself."""

    body_bytes: int = 32 * MB
    """A body as it comes over the wire; more: 413."""
    unpacked_bytes: int = 64 * MB
    """A body after unpacking; more: 413, and no more than this is ever unpacked."""
    form_bytes: int = 8 * MB
    """An EmonCMS form or bulk body, which is read before its key is known; packed ones have no more either."""
    waiting_bytes: int = 256 * MB
    """All bodies in memory at one time; more: 503."""
    key_rate: float = 200_000.0
    """Readings per second of one key; more: 429."""
    burst_s: float = 10.0
    """Seconds of `key_rate` that a key may send at once after a silence."""
    future_s: float = 86_400.0
    """How far ahead of this machine's clock a reading may lie."""
    earliest_us: int = 0
    """The earliest instant a reading may have, microseconds since 1970; earlier ones are named as errors."""
    thread_bytes: int = 64_000
    """Bodies larger than this are decoded in a thread, so that other senders do not wait for them …"""
    known_bytes: int = 1 * MB
    """… but for line protocol of a regular sender, whose names are known already, up to this."""
    remembered_bytes: int = 96 * MB
    """Name columns of regular senders that are kept in memory."""
