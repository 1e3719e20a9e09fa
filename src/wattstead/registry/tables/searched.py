"""What free text finds a site or device by: one folded column each, kept with every change of its row."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Connection
from sqlalchemy.engine.default import DefaultExecutionContext
from sqlalchemy.orm import Mapper

SITE = (
    "name", "customer_number", "address", "postal_code", "city", "delivery_point", "subscription_number", "cluster",
)  # fmt: skip
DEVICE = ("name", "serial_number", "template", "hardware_version", "firmware", "prefix")


def folded(text: str) -> str:
    """A text as it is searched: small letters without accents.

    >>> folded("Çàthédrale")
    'cathedrale'
    """
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in apart if not unicodedata.combining(letter))


def text_of(names: tuple[str, ...], row: Mapping[str, Any]) -> str:
    """The column of a row with these texts."""
    return folded("\n".join(str(row[name]) for name in names if row.get(name)))


def of_new_site(context: DefaultExecutionContext) -> str:
    """The column of a site that is being inserted."""
    return text_of(SITE, context.get_current_parameters())  # type: ignore[no-untyped-call]


def of_new_device(context: DefaultExecutionContext) -> str:
    """The column of a device that is being inserted."""
    return text_of(DEVICE, context.get_current_parameters())  # type: ignore[no-untyped-call]


def keep(table: type[Any], names: tuple[str, ...]) -> None:
    """Write the column anew with every change of a row."""

    def changed(_: Mapper[Any], __: Connection, row: Any) -> None:
        row.search = text_of(names, {name: getattr(row, name) for name in names})

    event.listen(table, "before_update", changed)
