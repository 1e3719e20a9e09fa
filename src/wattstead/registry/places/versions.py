"""Rows that people change: found, locked, and compared with the version that was looked at; changes nothing itself."""

from __future__ import annotations

from typing import Any, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from wattstead.registry.errors import Stale, Unknown
from wattstead.registry.storage.database import possible

R = TypeVar("R")


def changeable(session: Session, table: type[R], identity: int, version: int | None = None) -> R:
    """The row, nobody else's to change until the transaction ends; None for ``version`` takes it as it is.

    Raises `Unknown`, and `Stale` when it has another version.
    """
    columns: Any = table
    noun = str(columns.__tablename__)
    question = select(table).where(columns.id.in_(possible([identity]))).with_for_update(key_share=True)
    row = session.scalar(question.execution_options(populate_existing=True))
    if row is None:
        raise Unknown(noun, identity)
    found = columns.version.__get__(row, table)
    if version is not None and found != version:
        raise Stale(noun, identity, found, version)
    return row
