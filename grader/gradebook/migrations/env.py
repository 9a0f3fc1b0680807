"""Alembic executes this file to run migrations on the connection that `schema.py` hands over."""

from alembic import context

from grader.gradebook.tables import Base

# Batch mode: SQLite cannot alter most of a table, so Alembic makes a new one and copies the rows.
context.configure(
    connection=context.config.attributes["connection"], target_metadata=Base.metadata, render_as_batch=True
)
with context.begin_transaction():
    context.run_migrations()
