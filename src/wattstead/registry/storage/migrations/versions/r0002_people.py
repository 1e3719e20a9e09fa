"""People and where they belong: memberships, invitations, proofs, spaces, device templates, grants, the trail.

Every account gets the memberships that stand for its former role; a device gets the organization of its site.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from wattstead.registry.storage.migrations import r0002_tables
from wattstead.registry.storage.migrations.r0002_tables import BYTE_TEXT, TIME

revision = "r0002"
down_revision = "r0001"

AUTO = ("organization", "account", "site", "device", "key")
"""Tables that never give an id twice."""


def _reference(table: str, name: str, ondelete: str | None = None) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, sa.ForeignKey(f"{table}.id", ondelete=ondelete))


def _filled(name: str, kind: Any, value: str) -> sa.Column[Any]:
    """A column that is never null, with the value that rows get which are there already."""
    return sa.Column(name, kind, nullable=False, server_default=sa.text(value))


ADDED: dict[str, list[sa.Column[Any]]] = {
    "organization": [
        _filled("version", sa.Integer, "1"),
        _filled("kind", BYTE_TEXT, "'home'"),
        _filled("note", sa.String, "''"),
        _filled("registration", sa.Boolean, "false"),
        sa.Column("disabled", TIME),
    ],
    "account": [
        _filled("version", sa.Integer, "1"),
        _filled("name", sa.String, "''"),
        _filled("state", BYTE_TEXT, "'active'"),
        sa.Column("verified", TIME),
        _filled("phone", sa.String, "''"),
        _filled("mobile_phone", sa.String, "''"),
        _filled("phone_type", sa.String, "''"),
        _filled("operating_system", sa.String, "''"),
        _filled("application_version", sa.String, "''"),
        _filled("privacy_state", sa.String, "''"),
        _filled("locale", sa.String, "''"),
        sa.Column("last_seen", TIME),
        sa.Column("totp_sealed", sa.LargeBinary),
        _filled("totp_step", sa.BigInteger, "0"),
    ],
    "session": [
        _filled("name", BYTE_TEXT, "''"),
        _filled("agent", sa.String, "''"),
        _filled("address", sa.String, "''"),
        _reference("account", "impersonator_id", "CASCADE"),
        _filled("reason", sa.String, "''"),
    ],
    "site": [
        _filled("version", sa.Integer, "1"),
        _filled("state", BYTE_TEXT, "'active'"),
        _filled("customer_number", BYTE_TEXT, "''"),
        _filled("address", sa.String, "''"),
        _filled("city", sa.String, "''"),
        _filled("postal_code", sa.String, "''"),
        _filled("country", sa.String, "''"),
        sa.Column("latitude", sa.Double),
        sa.Column("longitude", sa.Double),
        _filled("delivery_point", BYTE_TEXT, "''"),
        _filled("subscription_number", BYTE_TEXT, "''"),
        sa.Column("subscribed_power_w", sa.Double),
        sa.Column("hourly_maximum_wh", sa.Double),
        _filled("dwelling", sa.String, "''"),
        sa.Column("occupants", sa.Integer),
        sa.Column("area_m2", sa.Double),
        _filled("heating", sa.String, "''"),
        _filled("eligibility_phase", sa.String, "''"),
        _filled("business_case", sa.String, "''"),
        _filled("cluster", sa.String, "''"),
        sa.Column("peak_power_w", sa.Double),
        sa.Column("tilt_deg", sa.Double),
        sa.Column("azimuth_deg", sa.Double),
        _filled("inverter", sa.String, "''"),
        sa.Column("installed_on", sa.Date),
        _filled("photo", sa.String, "''"),
        _filled("search", BYTE_TEXT, "''"),
    ],
    "device": [
        _filled("version", sa.Integer, "1"),
        _reference("organization", "organization_id"),
        _reference("space", "space_id", "SET NULL"),
        _filled("note", sa.String, "''"),
        _filled("template", BYTE_TEXT, "''"),
        _filled("revision", sa.Integer, "0"),
        _filled("prefix", BYTE_TEXT, "''"),
        _filled("connection", sa.String, "''"),
        _filled("posting", sa.Boolean, "true"),
        _filled("serial_number", BYTE_TEXT, "''"),
        _filled("hardware_version", sa.String, "''"),
        _filled("firmware", sa.String, "''"),
        _filled("pairing_state", BYTE_TEXT, "''"),
        _filled("connection_state", BYTE_TEXT, "''"),
        sa.Column("last_seen", TIME),
        sa.Column("completeness", sa.Double),
        _filled("mobile_bytes", sa.BigInteger, "0"),
        sa.Column("mobile_budget_bytes", sa.BigInteger),
        _filled("photo", sa.String, "''"),
        _filled("changed_at", sa.BigInteger, "0"),
        _filled("search", BYTE_TEXT, "''"),
    ],
    "key": [
        _reference("device", "device_id", "CASCADE"),
        sa.Column("expires", TIME),
        _filled("plain_http", sa.Boolean, "true"),
        _reference("key", "successor_id"),
    ],
    "point": [
        _reference("space", "space_id", "SET NULL"),
        sa.Column("retired", TIME),
    ],
}
INDEXED = (
    ("account", "state"),
    ("device", "changed_at"),
    ("device", "last_seen"),
    ("device", "organization_id"),
    ("device", "posting"),
    ("device", "serial_number"),
    ("device", "space_id"),
    ("key", "device_id"),
    ("point", "space_id"),
    ("site", "city"),
    ("site", "customer_number"),
    ("site", "name"),
    ("site", "state"),
)


def upgrade() -> None:
    r0002_tables.spaces()
    for table, columns in ADDED.items():
        with op.batch_alter_table(table, recreate="auto", table_kwargs=_kwargs(table)) as batch:
            for column in columns:
                batch.add_column(column)
    r0002_tables.people()
    r0002_tables.proofs()
    r0002_tables.places()
    r0002_tables.devices()
    r0002_tables.trail()
    _carry_over()
    for table, columns in ADDED.items():
        with op.batch_alter_table(table, recreate="auto", table_kwargs=_kwargs(table)) as batch:
            for column in columns:
                if column.server_default is not None:
                    batch.alter_column(column.name, server_default=None)
            if table == "account":
                batch.drop_column("role")
            if table == "device":
                batch.alter_column("site_id", existing_type=sa.Integer, nullable=True)
                batch.alter_column("organization_id", existing_type=sa.Integer, nullable=False)
    for table, column_name in INDEXED:
        op.create_index(f"ix_{table}_{column_name}", table, [column_name])


def _kwargs(table: str) -> dict[str, bool]:
    return {"sqlite_autoincrement": True} if table in AUTO else {}


def _carry_over() -> None:
    """The former role in the new words: an owner ran the platform and owned the branch."""
    op.execute(
        "INSERT INTO membership (account_id, organization_id, role, created) "
        "SELECT id, organization_id, 'owner', created FROM account"
    )
    op.execute(
        "INSERT INTO membership (account_id, role, created) "
        "SELECT id, 'administrator', created FROM account WHERE role = 'owner'"
    )
    op.execute("UPDATE site SET search = lower(name)")
    op.execute("UPDATE device SET search = lower(name)")
    op.execute("UPDATE device SET organization_id = (SELECT organization_id FROM site WHERE site.id = device.site_id)")
