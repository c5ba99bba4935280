"""Alembic's entry, by way of Flask-Migrate: which database, which tables."""

from typing import Any

from alembic import context

from src.database import connections
from src.extensions import db


def _skip_empty(_context: Any, _revision: Any, directives: list[Any]) -> None:
    """Write no migration file when autogenerate found nothing to change."""
    if getattr(context.config.cmd_opts, "autogenerate", False) and directives[0].upgrade_ops.is_empty():
        directives.clear()
        context.config.print_stdout("The database matches the models: no migration was written.")


if context.is_offline_mode():
    context.configure(dialect_name="postgresql", target_metadata=db.metadata, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()
else:
    with connections.running(), db.engine.connect() as connection:
        # A request may not take long; a new index on a large table does.
        connection.exec_driver_sql("SET statement_timeout = 0")
        connection.commit()
        context.configure(connection=connection, target_metadata=db.metadata, process_revision_directives=_skip_empty)
        with context.begin_transaction():
            context.run_migrations()
