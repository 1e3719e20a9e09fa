"""The table of the data set itself."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from wattstead.registry.tables.mapping import Base, UtcTime


class Dataset(Base):
    """One row: which data set this is, the generation that caches compare, the last point id given."""

    __tablename__ = "dataset"
    __table_args__ = (CheckConstraint("one = 1", name="single"),)
    one: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    identity: Mapped[str]
    generation: Mapped[int] = mapped_column(BigInteger)
    last_point_id: Mapped[int]
    created: Mapped[datetime] = mapped_column(UtcTime)
