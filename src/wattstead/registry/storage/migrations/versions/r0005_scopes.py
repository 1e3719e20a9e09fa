"""A scope is told from its index alone on PostgreSQL too, where an index does not hold the row's number by itself."""

from __future__ import annotations

from alembic import op

revision = "r0005"
down_revision = "r0004"

_NAME = "ix_site_organization_id_name_zone"


def upgrade() -> None:
    """SQLite's index holds it already."""
    if op.get_bind().dialect.name == "postgresql":
        op.drop_index(_NAME, "site")
        op.create_index(_NAME, "site", ["organization_id", "name", "zone"], postgresql_include=["id"])
