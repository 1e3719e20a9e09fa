"""Sites know when they were last heard of, as devices do; a scope is told from one index."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "r0003"
down_revision = "r0002"

BYTE_TEXT = sa.String().with_variant(sa.String(collation="C"), "postgresql")
_AUTO = {"sqlite_autoincrement": True}


def upgrade() -> None:
    """Nothing was found out about sites so far; what was said about devices is found out anew."""
    with op.batch_alter_table("site", table_kwargs=_AUTO) as batch:
        batch.add_column(sa.Column("last_seen", sa.DateTime(timezone=True)))
        batch.add_column(sa.Column("completeness", sa.Double))
        batch.add_column(sa.Column("connection_state", BYTE_TEXT, nullable=False, server_default=sa.text("''")))
    with op.batch_alter_table("site", table_kwargs=_AUTO) as batch:
        batch.alter_column("connection_state", server_default=None)
    op.drop_index("ix_site_organization_id", "site")
    op.create_index("ix_site_organization_id_name_zone", "site", ["organization_id", "name", "zone"])
    op.create_index("ix_site_last_seen", "site", ["last_seen"])
