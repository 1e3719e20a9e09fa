"""Mobile data of a device is counted by the month; it is known until when."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "r0004"
down_revision = "r0003"


def upgrade() -> None:
    """Nothing was counted so far."""
    op.add_column("device", sa.Column("mobile_until", sa.DateTime(timezone=True)))
    op.create_index("ix_device_mobile_until", "device", ["mobile_until"])
