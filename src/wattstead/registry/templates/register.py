"""Register: where a Modbus device keeps a number and how it is written there; it reads nothing."""

from __future__ import annotations

from typing import Annotated

import msgspec

Place = Annotated[int, msgspec.Meta(ge=0, le=65_535)]


class Register(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a Modbus device keeps a number; ``at`` counts from 0, as it goes over the wire.

    The number in the unit of its point is ``number * factor * 10^(register scale_at) + offset``.
    """

    table: Annotated[str, msgspec.Meta(pattern="^(holding|input)$")]
    at: Place
    form: Annotated[str, msgspec.Meta(pattern=r"^(u?int(16|32|64)|float(32|64))(le)?$")]
    """``uint16``, ``int32``, ``float32`` …; ``le``: the low word comes first."""
    factor: float = 1.0
    """What the number is multiplied with to be in the point's unit."""
    offset: float = 0.0
    """What is added after that."""
    scale_at: Place | None = None
    """Register that holds a power of ten to multiply with, as SunSpec has them."""
    swapped: bool = False
    """The low byte of each word comes first, against the standard."""
    full: bool = False
    """Every value counts. Otherwise the lowest of signed and the highest of unsigned numbers say that there is none."""

    @property
    def words(self) -> int:
        """How many registers of 16 bits the number takes.

        >>> Register(table="input", at=0, form="float32le").words
        2
        """
        return int("".join(letter for letter in self.form if letter.isdigit())) // 16
