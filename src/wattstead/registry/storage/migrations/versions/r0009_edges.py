"""Edges: machines on site, and the sources that they run."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "r0009"
down_revision = "r0008"

BYTE_TEXT = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    """There was none so far; every source is the server's."""
    op.create_table(
        "edge",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("site_id", sa.Integer, nullable=False),
        sa.Column("key_id", sa.Integer, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("code_hash", sa.LargeBinary),
        sa.Column("code_until", sa.DateTime(timezone=True)),
        sa.Column("signing_key", BYTE_TEXT, nullable=False),
        sa.Column("sealing_key", BYTE_TEXT, nullable=False),
        sa.Column("joined", sa.DateTime(timezone=True)),
        sa.Column("settings", sa.String, nullable=False),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sa.Column("wanted", sa.Integer, nullable=False),
        sa.Column("wanted_digest", BYTE_TEXT, nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("sequence_digest", BYTE_TEXT, nullable=False),
        sa.Column("sequence_at", sa.BigInteger, nullable=False),
        sa.Column("last_seen", sa.DateTime(timezone=True)),
        sa.Column("health", sa.String, nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
        sa.ForeignKeyConstraint(["key_id"], ["key.id"], name="fk_edge_key_id"),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name="fk_edge_site_id"),
        sa.PrimaryKeyConstraint("id", name="pk_edge"),
        sa.UniqueConstraint("key_id", name="uq_edge_key_id"),
        sa.UniqueConstraint("code_hash", name="uq_edge_code_hash"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_edge_changed_at", "edge", ["changed_at"])
    op.create_index("ix_edge_site_id", "edge", ["site_id"])
    own = sa.ForeignKey("edge.id", name="fk_source_edge_id")
    with op.batch_alter_table("source", recreate="auto", table_kwargs={"sqlite_autoincrement": True}) as batch:
        batch.add_column(sa.Column("edge_id", sa.Integer, own))
    op.create_index("ix_source_edge_id", "source", ["edge_id"])
