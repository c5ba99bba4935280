"""Alembic's environment: the database and the tables, from Flask-Migrate."""

import contextlib
import time
from collections.abc import Iterator
from typing import Any

from alembic import context
from sqlalchemy import Connection

from src.database import connections
from src.extensions import db


def _skip_empty(_context: Any, _revision: Any, directives: list[Any]) -> None:
    """Write no migration file if autogenerate finds no difference."""
    if getattr(context.config.cmd_opts, "autogenerate", False) and directives[0].upgrade_ops.is_empty():
        directives.clear()
        context.config.print_stdout("The database matches the models: no migration was written.")


MIGRATING = 5051
"""The advisory lock that serializes the migrations of replicas that start together."""


def _migrates() -> bool:
    """Tell whether the command changes the database: `upgrade`, `downgrade` and `stamp` have a revision to go to."""
    try:
        context.get_revision_argument()
    except KeyError:
        return False
    return True


@contextlib.contextmanager
def _alone(connection: Connection) -> Iterator[None]:
    """Hold the lock of migrations.

    It is asked for once a second. A session that blocked on it would hold a snapshot, and CREATE INDEX CONCURRENTLY in
    the session that migrates waits for that: a deadlock.
    """
    told = False
    while not connection.exec_driver_sql(f"SELECT pg_try_advisory_lock({MIGRATING})").scalar():
        connection.commit()
        if not told:
            context.config.print_stdout("Another process migrates this database; waiting for it.")
            told = True
        time.sleep(1)
    connection.commit()
    try:
        yield
    finally:
        connection.rollback()
        connection.exec_driver_sql(f"SELECT pg_advisory_unlock({MIGRATING})")
        connection.commit()


if context.is_offline_mode():
    context.configure(dialect_name="postgresql", target_metadata=db.metadata, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()
else:
    with connections.running(), db.engine.connect() as connection:
        # The limit is for requests. An index on a large table takes longer.
        connection.exec_driver_sql("SET statement_timeout = 0")
        connection.commit()
        context.configure(
            connection=connection,
            target_metadata=db.metadata,
            process_revision_directives=_skip_empty,
            transaction_per_migration=True,
        )
        alone = _alone(connection) if _migrates() else contextlib.nullcontext()
        with alone, context.begin_transaction():
            context.run_migrations()
