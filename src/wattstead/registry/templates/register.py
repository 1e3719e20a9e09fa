"""Register: where a Modbus device keeps a number and how it is written there; it reads nothing."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

_REGISTERS = 65_535


class Register(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a Modbus device keeps a number; ``at`` counts from 0, as it goes over the wire.

    The number in the unit of its point is ``number * factor * 10^(register scale_at) + offset``.
    """

    table: Annotated[str, Meta(pattern="^(holding|input)$", title="Table", description="holding or input.")]
    at: Annotated[
        int, Meta(ge=0, le=_REGISTERS, title="Register", description="Counted from 0: a manual's 40001 is 0.")
    ]
    form: Annotated[
        str,
        Meta(
            pattern=r"^(u?int(16|32|64)|float(32|64))(le)?$",
            title="Form",
            description="uint16, int32, float32 and so on; with le behind it the low word comes first.",
        ),
    ]
    factor: Annotated[
        float, Meta(title="Factor", description="What the number is multiplied with to be in the point's unit.")
    ] = 1.0
    offset: Annotated[float, Meta(title="Offset", description="What is added after that.")] = 0.0
    scale_at: Annotated[
        Annotated[int, Meta(ge=0, le=_REGISTERS)] | None,
        Meta(
            title="Register of the scale",
            description="Register that holds a power of ten to multiply with, as SunSpec has them.",
        ),
    ] = None
    swapped: Annotated[
        bool, Meta(title="Bytes swapped", description="The low byte of each word comes first, against the standard.")
    ] = False
    full: Annotated[
        bool,
        Meta(
            title="Every value counts",
            description="Otherwise the lowest of signed and the highest of unsigned numbers say that there is none.",
        ),
    ] = False

    @property
    def words(self) -> int:
        """How many registers of 16 bits the number takes.

        >>> Register(table="input", at=0, form="float32le").words
        2
        """
        return int("".join(letter for letter in self.form if letter.isdigit())) // 16
