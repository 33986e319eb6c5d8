"""Runs the migrations on the connection that `trueup.store.migrate` hands over."""

from __future__ import annotations

from alembic import context

from trueup.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
