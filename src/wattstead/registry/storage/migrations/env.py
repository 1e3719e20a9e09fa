"""Alembic runs this for every migration; it uses the connection and transaction that `migrate` gives."""

from __future__ import annotations

from alembic import context

from wattstead.registry.tables import Base

if hasattr(context, "config"):  # not when something merely imports this file
    context.configure(connection=context.config.attributes["connection"], target_metadata=Base.metadata)
    context.run_migrations()
