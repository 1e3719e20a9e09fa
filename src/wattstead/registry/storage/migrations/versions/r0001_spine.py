"""The first schema: data set, organizations, accounts, sites, devices, keys, points, addresses, tags."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "r0001"
down_revision = None

TIME = sa.DateTime(timezone=True)
BYTE_TEXT = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.Integer, primary_key=True)


def _reference(table: str, name: str = "", *, nullable: bool = False, indexed: bool = True) -> sa.Column[int]:
    target = sa.ForeignKey(f"{table}.id")
    return sa.Column(name or f"{table}_id", sa.Integer, target, nullable=nullable, index=indexed)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.String, nullable=False)


def _time(name: str, *, nullable: bool = False) -> sa.Column[datetime]:
    return sa.Column(name, TIME, nullable=nullable)


def upgrade() -> None:
    _people()
    _places()
    _points()
    _tags()


def _people() -> None:
    dataset = op.create_table(
        "dataset",
        sa.Column("one", sa.Integer, primary_key=True, autoincrement=False),
        _text("identity"),
        sa.Column("generation", sa.BigInteger, nullable=False),
        sa.Column("last_point_id", sa.Integer, nullable=False),
        _time("created"),
        sa.CheckConstraint("one = 1", name="single"),
    )
    first = {"one": 1, "identity": uuid.uuid4().hex, "generation": 1, "last_point_id": 0, "created": datetime.now(UTC)}
    op.bulk_insert(dataset, [first])
    op.create_table(
        "organization",
        _id(),
        _reference("organization", "parent_id", nullable=True),
        sa.Column("path", BYTE_TEXT, nullable=False, unique=True),
        _text("name"),
        _time("created"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "account",
        _id(),
        _reference("organization"),
        sa.Column("email", BYTE_TEXT, nullable=False, unique=True),
        _text("password_hash"),
        _text("role"),
        _time("created"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "session",
        sa.Column("token_hash", sa.LargeBinary, primary_key=True),
        sa.Column(
            "account_id", sa.Integer, sa.ForeignKey("account.id", ondelete="CASCADE"), nullable=False, index=True
        ),
        _time("created"),
        _time("last_used"),
        sa.Column("expires", TIME, nullable=False, index=True),
    )
    op.create_table(
        "login_failure",
        _id(),
        sa.Column("subject", BYTE_TEXT, nullable=False),
        sa.Column("failed", TIME, nullable=False, index=True),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_login_failure_subject_failed", "login_failure", ["subject", "failed"])


def _places() -> None:
    op.create_table(
        "site",
        _id(),
        _reference("organization"),
        _text("name"),
        _text("zone"),
        _text("note"),
        _time("created"),
        sqlite_autoincrement=True,
    )
    op.create_table("device", _id(), _reference("site"), _text("name"), _time("created"), sqlite_autoincrement=True)
    op.create_table(
        "key",
        _id(),
        _reference("site"),
        _text("name"),
        _text("scope"),
        sa.Column("secret_hash", sa.LargeBinary, nullable=False, unique=True),
        sa.Column("sealed", sa.LargeBinary),
        _text("prefix"),
        sa.Column("point_limit", sa.Integer, nullable=False),
        sa.Column("point_count", sa.Integer, nullable=False),
        _time("created"),
        _time("revoked", nullable=True),
        _time("last_used", nullable=True),
        sa.Column("changed_at", sa.BigInteger, nullable=False, index=True),
        sqlite_autoincrement=True,
    )


def _points() -> None:
    op.create_table(
        "point",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        _reference("site"),
        _reference("device", nullable=True),
        _reference("key", nullable=True, indexed=False),
        _text("name"),
        _text("role"),
        sa.Column("adopted", sa.Boolean, nullable=False),
        _text("kind"),
        _text("quantity"),
        _text("direction"),
        _text("unit"),
        _text("unit_hint"),
        sa.Column("resolution", sa.Double, nullable=False),
        sa.Column("width", sa.BigInteger, nullable=False),
        sa.Column("max_rate", sa.Double, nullable=False),
        sa.Column("max_gap_s", sa.Double, nullable=False),
        sa.Column("rule_version", sa.Integer, nullable=False),
        sa.Column("changed_at", sa.BigInteger, nullable=False, index=True),
        _time("created"),
    )
    op.create_table(
        "address",
        sa.Column("site_id", sa.Integer, sa.ForeignKey("site.id"), primary_key=True),
        sa.Column("path", BYTE_TEXT, primary_key=True),
        _reference("point"),
        sqlite_with_rowid=False,
    )


def _tags() -> None:
    for noun in ("point", "site"):
        op.create_table(
            f"{noun}_tag",
            sa.Column(f"{noun}_id", sa.Integer, sa.ForeignKey(f"{noun}.id", ondelete="CASCADE"), primary_key=True),
            sa.Column("key", BYTE_TEXT, primary_key=True),
            sa.Column("value", BYTE_TEXT, nullable=False),
            sqlite_with_rowid=False,
        )
        op.create_index(f"ix_{noun}_tag_key_value_{noun}_id", f"{noun}_tag", ["key", "value", f"{noun}_id"])
