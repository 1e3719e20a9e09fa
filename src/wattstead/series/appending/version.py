"""Versions as they are stored: shortened to what orders corrections, because their last bits cost more than the values.

A version is the receive time in µs with the worker below it. Kept whole it takes 2.5 bytes a reading, which is more
than time, value and point together; its 41 leading bits are a millisecond until 2041 and take 0.4 to 1.4 bytes. Two
readings of one (point, time) received within that millisecond stand in the order in which they are stored.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_BITS = 41
RECEIVED_SHIFT = 8
"""Bits of a version below the receive time in µs."""


def stored_version(version: int) -> int:
    """The version with its 41 leading bits; never greater than the version, and in the same order.

    >>> stored_version(7), stored_version((1_767_225_600_123_456 << 8) + 3) >> 8
    (7, 1767225600122880)
    """
    spare = max(0, version.bit_length() - _BITS)
    return version >> spare << spare


def stored_versions(versions: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """`stored_version` of each."""
    distinct, place = np.unique(versions, return_inverse=True)
    return np.array([stored_version(int(v)) for v in distinct], np.uint64)[place]


def known_at(known_us: int) -> int:
    """The greatest stored version that was received at or before that instant."""
    return stored_version((known_us + 1 << RECEIVED_SHIFT) - 1)
