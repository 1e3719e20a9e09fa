"""The tables that revision r0002 makes, as they were then; what it changes and carries over stands in the revision."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

TIME = sa.DateTime(timezone=True)
BYTE_TEXT = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def spaces() -> None:
    """Rooms and floors of a site."""
    op.create_table(
        "space",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("site_id", sa.Integer, nullable=False),
        sa.Column("parent_id", sa.Integer),
        sa.Column("path", BYTE_TEXT, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("kind", BYTE_TEXT, nullable=False),
        sa.Column("area_m2", sa.Double),
        sa.Column("note", sa.String, nullable=False),
        sa.Column("created", TIME, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.ForeignKeyConstraint(["parent_id"], ["space.id"], name="fk_space_parent_id"),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name="fk_space_site_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_space"),
        sa.UniqueConstraint("path", name="uq_space_path"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_space_parent_id", "space", ["parent_id"])
    op.create_index("ix_space_site_id", "space", ["site_id"])


def people() -> None:
    """Memberships, invitations, mails."""
    op.create_table(
        "membership",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("account_id", sa.Integer, nullable=False),
        sa.Column("organization_id", sa.Integer),
        sa.Column("site_id", sa.Integer),
        sa.Column("role", BYTE_TEXT, nullable=False),
        sa.Column("created", TIME, nullable=False),
        sa.Column("expires", TIME),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_membership_account_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name="fk_membership_organization_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name="fk_membership_site_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_membership"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_membership_account_id", "membership", ["account_id"])
    op.create_index("ix_membership_organization_id", "membership", ["organization_id"])
    op.create_index("ix_membership_site_id", "membership", ["site_id"])
    op.create_table(
        "invitation",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("token_hash", sa.LargeBinary, nullable=False),
        sa.Column("email", BYTE_TEXT, nullable=False),
        sa.Column("organization_id", sa.Integer),
        sa.Column("site_id", sa.Integer),
        sa.Column("role", BYTE_TEXT, nullable=False),
        sa.Column("inviter_id", sa.Integer),
        sa.Column("created", TIME, nullable=False),
        sa.Column("expires", TIME, nullable=False),
        sa.Column("accepted", TIME),
        sa.Column("revoked", TIME),
        sa.ForeignKeyConstraint(["inviter_id"], ["account.id"], name="fk_invitation_inviter_id", ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name="fk_invitation_organization_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name="fk_invitation_site_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_invitation"),
        sa.UniqueConstraint("token_hash", name="uq_invitation_token_hash"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_invitation_organization_id", "invitation", ["organization_id"])
    op.create_index("ix_invitation_site_id", "invitation", ["site_id"])
    op.create_table(
        "mail",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("to", sa.String, nullable=False),
        sa.Column("subject", sa.String, nullable=False),
        sa.Column("text", sa.String, nullable=False),
        sa.Column("created", TIME, nullable=False),
        sa.Column("due", TIME, nullable=False),
        sa.Column("sent", TIME),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("error", sa.String, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_mail"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_mail_due", "mail", ["due"])


def proofs() -> None:
    """Links in mails, passkeys, recovery codes, outside identities, ceremonies."""
    op.create_table(
        "mailed_link",
        sa.Column("token_hash", sa.LargeBinary, nullable=False),
        sa.Column("account_id", sa.Integer, nullable=False),
        sa.Column("purpose", BYTE_TEXT, nullable=False),
        sa.Column("email", sa.String, nullable=False),
        sa.Column("expires", TIME, nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_mailed_link_account_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("token_hash", name="pk_mailed_link"),
    )
    op.create_index("ix_mailed_link_account_id", "mailed_link", ["account_id"])
    op.create_index("ix_mailed_link_expires", "mailed_link", ["expires"])
    op.create_table(
        "passkey",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("account_id", sa.Integer, nullable=False),
        sa.Column("credential_id", sa.LargeBinary, nullable=False),
        sa.Column("public_key", sa.LargeBinary, nullable=False),
        sa.Column("sign_count", sa.BigInteger, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("created", TIME, nullable=False),
        sa.Column("last_used", TIME),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_passkey_account_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_passkey"),
        sa.UniqueConstraint("credential_id", name="uq_passkey_credential_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_passkey_account_id", "passkey", ["account_id"])
    op.create_table(
        "recovery_code",
        sa.Column("code_hash", sa.LargeBinary, nullable=False),
        sa.Column("account_id", sa.Integer, nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_recovery_code_account_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("code_hash", name="pk_recovery_code"),
    )
    op.create_index("ix_recovery_code_account_id", "recovery_code", ["account_id"])
    op.create_table(
        "identity",
        sa.Column("issuer", BYTE_TEXT, nullable=False),
        sa.Column("subject", BYTE_TEXT, nullable=False),
        sa.Column("account_id", sa.Integer, nullable=False),
        sa.Column("created", TIME, nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_identity_account_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("issuer", "subject", name="pk_identity"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_identity_account_id", "identity", ["account_id"])
    op.create_table(
        "ceremony",
        sa.Column("token_hash", sa.LargeBinary, nullable=False),
        sa.Column("account_id", sa.Integer),
        sa.Column("purpose", BYTE_TEXT, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("expires", TIME, nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_ceremony_account_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("token_hash", name="pk_ceremony"),
    )
    op.create_index("ix_ceremony_expires", "ceremony", ["expires"])


def places() -> None:
    """Grants of sites, links that share them."""
    op.create_table(
        "site_grant",
        sa.Column("organization_id", sa.Integer, nullable=False),
        sa.Column("site_id", sa.Integer, nullable=False),
        sa.Column("changes", sa.Boolean, nullable=False),
        sa.Column("created", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name="fk_site_grant_organization_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name="fk_site_grant_site_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("organization_id", "site_id", name="pk_site_grant"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_site_grant_site_id", "site_grant", ["site_id"])
    op.create_table(
        "share_link",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("site_id", sa.Integer, nullable=False),
        sa.Column("token_hash", sa.LargeBinary, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("maker_id", sa.Integer),
        sa.Column("created", TIME, nullable=False),
        sa.Column("expires", TIME, nullable=False),
        sa.Column("revoked", TIME),
        sa.ForeignKeyConstraint(["maker_id"], ["account.id"], name="fk_share_link_maker_id", ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name="fk_share_link_site_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_share_link"),
        sa.UniqueConstraint("token_hash", name="uq_share_link_token_hash"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_share_link_site_id", "share_link", ["site_id"])


def devices() -> None:
    """Templates, tags of devices."""
    op.create_table(
        "template",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("organization_id", sa.Integer, nullable=False),
        sa.Column("name", BYTE_TEXT, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("text", sa.String, nullable=False),
        sa.Column("created", TIME, nullable=False),
        sa.Column("removed", TIME),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name="fk_template_organization_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_template"),
        sa.UniqueConstraint("organization_id", "name", "revision", name="uq_template_organization_id_name_revision"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_template_organization_id", "template", ["organization_id"])
    op.create_table(
        "device_tag",
        sa.Column("device_id", sa.Integer, nullable=False),
        sa.Column("key", BYTE_TEXT, nullable=False),
        sa.Column("value", BYTE_TEXT, nullable=False),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name="fk_device_tag_device_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("device_id", "key", name="pk_device_tag"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_device_tag_key_value_device_id", "device_tag", ["key", "value", "device_id"])


def trail() -> None:
    """The trail of what was done, and what repeated requests are answered with."""
    op.create_table(
        "trail",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("account_id", sa.Integer),
        sa.Column("impersonator_id", sa.Integer),
        sa.Column("key_id", sa.Integer),
        sa.Column("action", BYTE_TEXT, nullable=False),
        sa.Column("resource", BYTE_TEXT, nullable=False),
        sa.Column("resource_id", sa.BigInteger, nullable=False),
        sa.Column("organization_id", sa.Integer),
        sa.Column("site_id", sa.Integer),
        sa.Column("before_digest", sa.LargeBinary, nullable=False),
        sa.Column("after_digest", sa.LargeBinary, nullable=False),
        sa.Column("previous_hash", sa.LargeBinary, nullable=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_trail"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_trail_account_id", "trail", ["account_id"])
    op.create_index("ix_trail_at", "trail", ["at"])
    op.create_index("ix_trail_organization_id", "trail", ["organization_id"])
    op.create_index("ix_trail_resource_resource_id", "trail", ["resource", "resource_id"])
    op.create_index("ix_trail_site_id", "trail", ["site_id"])
    op.create_table(
        "trail_words",
        sa.Column("trail_id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("words", sa.String, nullable=False),
        sa.ForeignKeyConstraint(["trail_id"], ["trail.id"], name="fk_trail_words_trail_id"),
        sa.PrimaryKeyConstraint("trail_id", name="pk_trail_words"),
    )
    op.create_table(
        "repeatable",
        sa.Column("account_id", sa.Integer, nullable=False),
        sa.Column("token", BYTE_TEXT, nullable=False),
        sa.Column("request_digest", sa.LargeBinary, nullable=False),
        sa.Column("status", sa.Integer, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("created", TIME, nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_repeatable_account_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("account_id", "token", name="pk_repeatable"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_repeatable_created", "repeatable", ["created"])
