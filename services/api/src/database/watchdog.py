"""The watchdog: requests that wait for a database that hangs fail within seconds.

Nothing else ends their wait. A server that is stopped runs no timeout of its own, its kernel acknowledges what arrives,
and a Unix socket has no timeout. A deadline on each statement would end slow ones too, so the watchdog asks the
database over a connection of its own: one that is alive answers `SELECT 1` at once, however busy it is.
"""

import os
import select
import socket
import threading
import time
from typing import Any

import psycopg2
import structlog
from psycopg2.extensions import POLL_OK, POLL_READ
from sqlalchemy import Engine, event

logger = structlog.get_logger(__name__)

ANSWER_SECONDS = 1.5
"""The time in which a database that is alive answers `SELECT 1`. With the pause it is shorter than `connect_timeout`,
so that no thread begins a second attempt to connect."""
CHECK_SECONDS = 0.25
"""The pause between two questions, which are asked while a connection is in use."""


class Watchdog:
    """A thread that cuts the connections of an engine while the database hangs, and refuses new ones.

    The threads that wait for an answer then get the error of a lost connection.
    """

    def __init__(self, engine: Engine) -> None:
        """Watch the connections that the engine opens from now on."""
        self._engine = engine
        self._hangs = False
        self._pulse = _Pulse()
        self._lines: dict[Any, socket.socket] = {}
        self._lock = threading.Lock()  # guards the lines
        event.listen(engine, "do_connect", self._refuse)
        event.listen(engine, "connect", self._add, insert=True)  # before SQLAlchemy asks for the server's version
        event.listen(engine, "close", self._remove)
        threading.Thread(target=self._watch, name="watchdog", daemon=True).start()

    def _refuse(self, _dialect: object, _record: object, arguments: list[Any], parameters: dict[str, Any]) -> None:
        """Refuse a new connection while the database hangs.

        :raises psycopg2.OperationalError: it hangs.
        """
        self._pulse.address = arguments, parameters
        if self._hangs:
            raise psycopg2.OperationalError("the database hangs")

    def _add(self, connection: Any, _record: object) -> None:
        # A duplicate is still this connection's when libpq has closed its own descriptor, and the number is another's.
        line = socket.socket(fileno=os.dup(connection.fileno()))
        with self._lock:
            self._lines[connection] = line

    def _remove(self, connection: Any, _record: object) -> None:
        with self._lock:
            line = self._lines.pop(connection, None)
        if line:
            line.close()

    def _watch(self) -> None:
        while True:
            time.sleep(CHECK_SECONDS)
            if self._hangs or self._engine.pool.checkedout():  # type: ignore[attr-defined]  # of a QueuePool
                self._check()

    def _check(self) -> None:
        before, self._hangs = self._hangs, self._pulse.has_stopped()
        if self._hangs:
            self._cut()
        if self._hangs != before:
            logger.error("database hangs" if self._hangs else "database answers again")

    def _cut(self) -> None:
        with self._lock:
            for line in self._lines.values():
                try:
                    line.shutdown(socket.SHUT_RDWR)
                except OSError:  # it is cut already
                    continue


class _Pulse:
    """The connection over which the database is asked."""

    def __init__(self) -> None:
        self.address: tuple[list[Any], dict[str, Any]] | None = None
        """The arguments of `psycopg2.connect`; None until the engine has connected."""
        self._connection: Any = None

    def has_stopped(self) -> bool:
        """Tell whether the database gives no answer in time. One that refuses the question gives an answer."""
        if self.address is None:
            return False
        arguments, parameters = self.address
        deadline = time.monotonic() + ANSWER_SECONDS
        try:
            if self._connection is None:
                self._connection = psycopg2.connect(*arguments, **parameters, async_=True)
                self._finish(deadline)
            self._connection.cursor().execute("SELECT 1")
            self._finish(deadline)
        except (psycopg2.Error, TimeoutError) as error:
            if self._connection is not None:
                self._connection.close()
                self._connection = None
            return isinstance(error, TimeoutError)
        return False

    def _finish(self, deadline: float) -> None:
        """Wait until the connection is open, or the answer is there.

        :raises TimeoutError: the deadline passes first.
        """
        while (state := self._connection.poll()) != POLL_OK:
            ready = select.poll()  # select.select knows no descriptor above 1023
            ready.register(self._connection.fileno(), select.POLLIN if state == POLL_READ else select.POLLOUT)
            if not ready.poll(max(0.0, deadline - time.monotonic()) * 1000):
                raise TimeoutError
