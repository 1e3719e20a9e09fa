"""Addresses know what they look like, shares who gave them, roles whether they rest; people have tags."""

from __future__ import annotations

import contextlib
import logging

import idna
import sqlalchemy as sa
from alembic import op

revision = "r0010"
down_revision = "r0009"

_AUTO = {"sqlite_autoincrement": True}
BYTE_TEXT = sa.String().with_variant(sa.String(collation="C"), "postgresql")
_log = logging.getLogger("wattstead.registry")
_ACCOUNT = sa.table("account", sa.column("id", sa.Integer), sa.column("email", sa.String), sa.column("look", sa.String))
_MEMBERSHIP = sa.table(
    "membership",
    *(sa.column(name, sa.Integer) for name in ("id", "account_id", "site_id", "giver_id")),
    sa.column("role", sa.String),
)
_INVITATION = sa.table(
    "invitation",
    *(sa.column(name, sa.Integer) for name in ("id", "site_id", "inviter_id")),
    sa.column("email", sa.String), sa.column("role", sa.String), sa.column("accepted", sa.DateTime),
)  # fmt: skip
_TRAIL = sa.table(
    "trail",
    *(sa.column(name, sa.Integer) for name in ("id", "account_id", "resource_id")),
    sa.column("action", sa.String), sa.column("resource", sa.String),
)  # fmt: skip
_LOOKS_LIKE = str.maketrans(
    "асеорухіѕјһԁԛԝкмтвнгпӏѵү" + "ονρταυικεηχγω" + "ıɡɑ" + "օոսհցզյ" + "ⲟⲣⲥⲓⲕⲙⲏⲧ",
    "aceopyxisjhdqwkmtbhrnlvy" + "ovptauikenxyw" + "iga" + "onuhgqj" + "opcikmht",
)


def upgrade() -> None:
    """What was given before is known from the trail and from the invitations that were answered."""
    op.create_table(
        "person_tag",
        sa.Column("account_id", sa.Integer, nullable=False),
        sa.Column("key", BYTE_TEXT, nullable=False),
        sa.Column("value", BYTE_TEXT, nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_person_tag_account_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("account_id", "key", name="pk_person_tag"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_person_tag_key_value_account_id", "person_tag", ["key", "value", "account_id"])
    with op.batch_alter_table("invitation", table_kwargs=_AUTO) as batch:
        batch.add_column(sa.Column("told", sa.String, nullable=False, server_default=sa.text("''")))
    with op.batch_alter_table("invitation", table_kwargs=_AUTO) as batch:
        batch.alter_column("told", server_default=None)
    with op.batch_alter_table("account", table_kwargs=_AUTO) as batch:
        batch.add_column(sa.Column("look", BYTE_TEXT))
        batch.create_unique_constraint("uq_account_look", ["look"])
    giver = sa.ForeignKey("account.id", name="fk_membership_giver_id", ondelete="SET NULL")
    with op.batch_alter_table("membership", table_kwargs=_AUTO) as batch:
        batch.add_column(sa.Column("giver_id", sa.Integer, giver))
        batch.add_column(sa.Column("suspended", sa.DateTime(timezone=True)))
    op.create_index("ix_membership_giver_id", "membership", ["giver_id"])
    _look_at_addresses()
    _find_givers()


def _look_at_addresses() -> None:
    """Of two accounts whose addresses pass for each other the older one keeps its look; the other one has none."""
    connection, seen = op.get_bind(), dict[str, int]()
    for identity, email in connection.execute(sa.select(_ACCOUNT.c.id, _ACCOUNT.c.email).order_by(_ACCOUNT.c.id)).all():
        look = _look(email)
        if look in seen:
            warning = "the addresses of accounts %d and %d look alike; see that they are whose they say"
            _log.warning(warning, seen[look], identity)
            continue
        seen[look] = identity
        connection.execute(sa.update(_ACCOUNT).where(_ACCOUNT.c.id == identity).values(look=look))


def _look(email: str) -> str:
    local, _, host = email.partition("@")
    if "xn--" in host:
        with contextlib.suppress(idna.IDNAError):
            host = idna.decode(host)
    return f"{local}@{host}".translate(_LOOKS_LIKE)


def _find_givers() -> None:
    connection, member, deed, asked = op.get_bind(), _MEMBERSHIP.c, _TRAIL.c, _INVITATION.c
    people = set(connection.scalars(sa.select(_ACCOUNT.c.id)))
    guests = sa.select(member.id, member.account_id, member.site_id).where(
        member.role == "guest", member.site_id.is_not(None)
    )
    for identity, account_id, site_id in connection.execute(guests).all():
        told = (deed.resource == "share", deed.action == "create", deed.account_id.is_not(None))
        shown = sa.select(deed.account_id).where(*told, deed.resource_id == identity)
        giver = connection.scalar(shown.order_by(deed.id.desc()).limit(1))
        if giver is None:
            email = sa.select(_ACCOUNT.c.email).where(_ACCOUNT.c.id == account_id).scalar_subquery()
            answered = sa.select(asked.inviter_id).where(
                asked.email == email, asked.site_id == site_id, asked.role == "guest", asked.accepted.is_not(None)
            )
            giver = connection.scalar(answered.order_by(asked.id.desc()).limit(1))
        if giver in people:
            connection.execute(sa.update(_MEMBERSHIP).where(member.id == identity).values(giver_id=giver))
