"""Commits whose answer is lost: PostgreSQL may have carried them out or not."""

from typing import Any

from sqlalchemy import Connection, Engine, ExceptionContext, event
from sqlalchemy.exc import OperationalError

_COMMITTING = "committing"


class LostCommit(OperationalError):
    """A connection that was lost during a commit."""


def watch(engine: Engine) -> None:
    """Raise `LostCommit`, in place of the plain error, where a connection of the engine is lost during a commit."""
    event.listen(engine, "commit", _begin)
    event.listen(engine, "handle_error", _tell)
    event.listen(engine, "checkin", _end)


def _begin(connection: Connection) -> None:
    connection.info[_COMMITTING] = True


def _end(_: object, record: Any) -> None:
    if record:
        record.info.pop(_COMMITTING, None)


def _tell(context: ExceptionContext) -> None:
    if not context.is_disconnect or context.statement is not None or context.connection is None:
        return
    if context.connection.info.get(_COMMITTING):
        raise LostCommit(None, None, context.original_exception, hide_parameters=True)
