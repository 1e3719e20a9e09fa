"""Resolver: what the door asks about keys and addresses, as a Protocol; the registry, or a point map on site, answers.

It stores nothing and knows no protocol.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from wattstead.ingest.decoding.columns import Place
from wattstead.ingest.http.traffic import Traffic
from wattstead.ingest.resolving.closed import ClosedPoints
from wattstead.registry.records import KeyGrant

NO_UNITS: Mapping[str, str] = {}
"""What senders say of units when they say nothing."""


class SealedKey(NamedTuple):
    """A key whose owner chose to keep its secret in the registry, encrypted there, for senders that cannot do HTTPS."""

    grant: KeyGrant
    secret: str
    """32 hexadecimal characters: the AES-128 and HMAC key of the EmonCMS encrypted form."""


class Resolver(Protocol):
    """Who may write, and which point an address is.

    `key`, `refusal`, `is_delta` and `sealed` answer from memory, at once; `points` and `owned` may ask a database.
    Whatever `wattstead.metering.errors.WattsteadError` with ``retryable`` they raise becomes 503 with Retry-After.
    """

    closed: ClosedPoints
    """What is not taken at present; another one after each change."""
    traffic: Traffic
    """What came with which key; senders of the readings are counted here by whoever receives them."""
    epoch: int
    """Grows when an address may have become another point's: a device has moved and taken its points along."""

    def place(self, grant: KeyGrant) -> Place:
        """Under what the points of addresses may be remembered for a key: keys of one place find the same ones."""
        ...

    def key(self, secret: str) -> KeyGrant | None:
        """What the key with that secret allows; None when it is unknown, revoked or has ended."""
        ...

    async def points(
        self, grant: KeyGrant, addresses: Sequence[str], units: Mapping[str, str] = NO_UNITS
    ) -> NDArray[np.uint32]:
        """The point of each address of the grant's site, created where it is new; 0 where the address is refused, as it
        is to a key of a device where it is not that device's.

        ``units``: in which unit a new address sends, where its sender says so.
        """
        ...

    async def units(self, points: Sequence[int]) -> Mapping[int, str]:
        """The unit of each of these points, or the one its sender said while nobody has given it one; "" for none."""
        ...

    def refusal(self, grant: KeyGrant, address: str) -> str:
        """Why `points` has just answered 0 for that address, one sentence."""
        ...

    async def owned(self, grant: KeyGrant, points: NDArray[np.uint32]) -> NDArray[np.bool_]:
        """Which of these ids are points of the grant's site, or of the device that it is bound to."""
        ...

    def among_deltas(self, points: Sequence[int]) -> bool:
        """Whether one of a few points holds amounts per interval."""
        ...

    def is_delta(self, points: NDArray[np.uint32]) -> NDArray[np.bool_]:
        """Which points hold amounts per interval or pulses: there a reading without a time may be counted twice."""
        ...

    def sealed(self, key_id: int) -> SealedKey | None:
        """The sealed key of that id; None when there is none, or it was not sealed."""
        ...
