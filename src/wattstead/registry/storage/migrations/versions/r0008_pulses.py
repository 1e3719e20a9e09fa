"""A point in pulses knows how many are a kWh; a point may be read without a key from some addresses."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "r0008"
down_revision = "r0007"


def upgrade() -> None:
    """No point had either."""
    op.add_column("point", sa.Column("pulses_per_kwh", sa.Double(), nullable=False, server_default="0"))
    op.add_column("point", sa.Column("open_to", sa.String(), nullable=False, server_default=""))
