"""Alembic's environment: the database and the tables, from Flask-Migrate."""

from typing import Any

from alembic import context

from src.database import connections
from src.extensions import db


def _skip_empty(_context: Any, _revision: Any, directives: list[Any]) -> None:
    """Write no migration file if autogenerate finds no difference."""
    if getattr(context.config.cmd_opts, "autogenerate", False) and directives[0].upgrade_ops.is_empty():
        directives.clear()
        context.config.print_stdout("The database matches the models: no migration was written.")


if context.is_offline_mode():
    context.configure(dialect_name="postgresql", target_metadata=db.metadata, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()
else:
    with connections.running(), db.engine.connect() as connection:
        # The limit is for requests. An index on a large table takes longer.
        connection.exec_driver_sql("SET statement_timeout = 0")
        connection.commit()
        context.configure(connection=connection, target_metadata=db.metadata, process_revision_directives=_skip_empty)
        with context.begin_transaction():
            context.run_migrations()
