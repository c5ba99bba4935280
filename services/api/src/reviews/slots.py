"""Slots limit the requests of one kind that run at once, in all processes that share the database.

A request that runs holds a row of the table `slots`, and renews it while it works. The slot of one that died is free
after `LEASE`. A leased row is needed because the work holds no transaction: it waits for scores, or for its client.
"""

import contextlib
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

import structlog
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError

from src.errors import Crowded

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of request."""

    name: str
    count: int
    """The most that may run at once."""
    waits: bool = False
    """True if a request waits a little for its slot, instead of being refused at once."""


UPLOADS = Kind("upload", 16)
"""Bulk requests whose body arrives. An upload takes disk, but no bulk slot yet."""
BULK_REQUESTS = Kind("bulk", 4, waits=True)
"""Bulk requests that are scored and stored."""
EXPORTS = Kind("export", 4)
"""Exports that are sent. Each holds a connection to the database until its client has read everything."""
EXPLANATIONS = Kind("explanation", 4, waits=True)
"""Explanations that are computed. One of a long review scores thousands of texts; with more of them, single reviews
would find the scorer's queue full."""
WAIT_SECONDS = 5.0
"""The longest that a bulk request or an explanation waits for its slot."""
LEASE = timedelta(seconds=30)
_RENEW_SECONDS = 5.0
_ASK_SECONDS = 0.1

# The lock makes those who take a slot of one kind go one after the other: they would choose the same number.
_LOCK = text("SELECT pg_advisory_xact_lock(hashtext('slots'), hashtext(:kind))")
_TAKE = text("""
    INSERT INTO slots (kind, number, holder, expires_on)
    SELECT :kind, free, :holder, now() + :lease FROM generate_series(1, :count) AS free
    WHERE NOT EXISTS (SELECT FROM slots WHERE kind = :kind AND number = free AND expires_on > now())
    LIMIT 1
    ON CONFLICT (kind, number) DO UPDATE SET holder = excluded.holder, expires_on = excluded.expires_on
""")
_RENEW = text("UPDATE slots SET expires_on = now() + :lease WHERE holder = :holder")
_FREE = text("DELETE FROM slots WHERE holder = :holder")


@contextlib.contextmanager
def slot(bind: Engine | Connection, kind: Kind) -> Iterator[None]:
    """Hold a slot, after a short wait for it if the kind waits. Its row has transactions of its own.

    :raises Crowded: all slots are taken, and stay taken.
    """
    engine, holder, over = bind.engine, uuid4(), threading.Event()
    _wait_for(engine, kind, holder)
    renewing = threading.Thread(target=_renew, args=[engine, holder, over], name="slot", daemon=True)
    try:
        renewing.start()
        yield
    finally:
        over.set()
        if renewing.ident:
            renewing.join()
        with contextlib.suppress(SQLAlchemyError), engine.begin() as connection:  # without a database, it expires
            connection.execute(_FREE, {"holder": holder})


def _wait_for(engine: Engine, kind: Kind, holder: UUID) -> None:
    deadline = time.monotonic() + (WAIT_SECONDS if kind.waits else 0)
    while not _take(engine, kind, holder):
        if time.monotonic() >= deadline:
            raise Crowded
        time.sleep(_ASK_SECONDS)


def _take(engine: Engine, kind: Kind, holder: UUID) -> bool:
    with engine.begin() as connection:
        connection.execute(_LOCK, {"kind": kind.name})
        taken = {"kind": kind.name, "count": kind.count, "holder": holder, "lease": LEASE}
        return connection.execute(_TAKE, taken).rowcount == 1


def _renew(engine: Engine, holder: UUID, over: threading.Event) -> None:
    while not over.wait(_RENEW_SECONDS):
        try:
            with engine.begin() as connection:
                connection.execute(_RENEW, {"holder": holder, "lease": LEASE})
        except SQLAlchemyError as error:  # others may take the slot, which is better than to end the work
            logger.warning("slot not renewed", error=type(error).__name__)
