"""E-mail addresses whose host ended in a dot are stored without it, as they are compared since."""

from __future__ import annotations

import logging

import sqlalchemy as sa
from alembic import op

revision = "r0006"
down_revision = "r0005"

_log = logging.getLogger("wattstead.registry")
_ACCOUNT = sa.table("account", sa.column("id", sa.Integer), sa.column("email", sa.String))
_INVITATION = sa.table("invitation", sa.column("id", sa.Integer), sa.column("email", sa.String))


def upgrade() -> None:
    """An account keeps its dot where another one has the address without: the two may be one person, or not."""
    connection = op.get_bind()
    for table in (_ACCOUNT, _INVITATION):
        dotted = connection.execute(sa.select(table.c.id, table.c.email).where(table.c.email.like("%.")))
        for identity, email in dotted.all():
            plain = email.rstrip(".")
            same = sa.select(table.c.id).where(table.c.email == plain)
            if table is _ACCOUNT and connection.scalar(same) is not None:
                _log.warning(
                    "account %d has the address of another account, with a dot at its end: nobody can sign in to it; "
                    "give it another address, or delete it",
                    identity,
                )
                continue
            connection.execute(sa.update(table).where(table.c.id == identity).values(email=plain))
