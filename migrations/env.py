"""Alembic's entry: runs on the connection that shared/ledger/migrate.py opened and locked."""

from alembic import context

from shared.ledger.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    # SQLite cannot alter most things in place: later revisions copy the table there.
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
