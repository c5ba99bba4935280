"""Steps of a migration of tables that a running service reads and writes. Each can be repeated."""

import contextlib
import time

from alembic import op
from sqlalchemy.exc import DBAPIError

LOCK_TIMEOUT = "500ms"
"""A waiting exclusive lock holds up every later reader. It is given up before PostgreSQL looks for deadlocks (1 s)."""
PAUSE_SECONDS = 1.0
TRIES = 600
_NOT_LOCKED = {"55P03", "40P01"}
"""SQLSTATEs: the lock timeout passed; a deadlock, where `deadlock_timeout` is set to less."""


def patiently(statements: str) -> None:
    """Execute statements that take exclusive locks, all or none; try again while others hold what they need.

    Without a transaction PostgreSQL makes one of statements that are sent together; in one, a savepoint keeps the rest.
    """
    if op.get_context().as_sql:
        op.execute(statements)
        return
    connection = op.get_bind()
    autocommit = connection.get_execution_options().get("isolation_level") == "AUTOCOMMIT"
    connection.exec_driver_sql(f"SET lock_timeout = '{LOCK_TIMEOUT}'")
    for tried in range(1, TRIES + 1):
        try:
            with contextlib.nullcontext() if autocommit else connection.begin_nested():
                op.execute(statements)
            break
        except DBAPIError as error:
            if getattr(error.orig, "pgcode", None) not in _NOT_LOCKED or tried == TRIES:
                raise
            time.sleep(PAUSE_SECONDS)
    connection.exec_driver_sql("RESET lock_timeout")


def build_index(name: str, definition: str) -> None:
    """Build an index beside readers and writers, outside a transaction. What a killed try left is dropped first."""
    drop_index(name)
    op.execute(f"CREATE INDEX CONCURRENTLY {name} {definition}")


def drop_index(name: str) -> None:
    """Drop an index beside readers and writers, outside a transaction."""
    op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
