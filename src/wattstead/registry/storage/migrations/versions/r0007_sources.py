"""Sources: ways in that the server opens itself, each with a write key of its own."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "r0007"
down_revision = "r0006"

BYTE_TEXT = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    """There was none so far."""
    op.create_table(
        "source",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("site_id", sa.Integer, nullable=False),
        sa.Column("device_id", sa.Integer),
        sa.Column("key_id", sa.Integer, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("protocol", BYTE_TEXT, nullable=False),
        sa.Column("settings", sa.String, nullable=False),
        sa.Column("sealed", sa.String, nullable=False),
        sa.Column("past_days", sa.Double, nullable=False),
        sa.Column("rate", sa.Double, nullable=False),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name="fk_source_device_id"),
        sa.ForeignKeyConstraint(["key_id"], ["key.id"], name="fk_source_key_id"),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name="fk_source_site_id"),
        sa.PrimaryKeyConstraint("id", name="pk_source"),
        sa.UniqueConstraint("key_id", name="uq_source_key_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_source_changed_at", "source", ["changed_at"])
    op.create_index("ix_source_device_id", "source", ["device_id"])
    op.create_index("ix_source_site_id", "source", ["site_id"])
