"""The configurations that were offered to edges, and what became of each."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "r0011"
down_revision = "r0010"


def upgrade() -> None:
    """What was offered before is not known."""
    op.create_table(
        "edge_configuration",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("edge_id", sa.Integer, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("made", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settings", sa.String, nullable=False),
        sa.Column("sources", sa.String, nullable=False),
        sa.Column("applied", sa.DateTime(timezone=True)),
        sa.Column("refused_why", sa.String, nullable=False),
        sa.ForeignKeyConstraint(["edge_id"], ["edge.id"], name="fk_edge_configuration_edge_id"),
        sa.PrimaryKeyConstraint("id", name="pk_edge_configuration"),
        sa.UniqueConstraint("edge_id", "number", name="uq_edge_configuration_edge_id_number"),
    )
