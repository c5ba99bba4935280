"""Connections that the worker's poller waits for, and how long."""

import time

from gunicorn.workers.gthread import TConn

from src.server.arrival import Arrival

CLIENT_SECONDS = 30.0
"""The time that a client has to send a header, each `PIECE_BYTES` of a body, and to read as much of a response."""
IDLE_SECONDS = 5.0
"""The time for which a connection stays open for the next request."""
LINGER_SECONDS = 30.0
"""The longest time for which a connection is read after its last response."""
LINGER_IDLE_SECONDS = 2.0
"""The longest pause of a client meanwhile."""


class Connection(TConn):  # type: ignore[misc]  # gunicorn has no type hints
    """gunicorn's connection, and what the poller remembers of its request."""

    request_bytes = 0
    """The bytes of its request, which count until a thread has handled it."""
    continued = False
    """True if the client has been told to go on."""
    admitted = False
    """True if the request has a place that it gives back."""


class Waiting:
    """A connection that the poller watches until its time is over."""

    __slots__ = ("connection", "until")
    seconds = CLIENT_SECONDS

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.extend()

    def extend(self) -> None:
        """Give the client its time anew."""
        self.until = time.monotonic() + self.seconds


class Arriving(Waiting):
    """A connection whose client sends a request."""

    __slots__ = ("request",)

    def __init__(self, connection: Connection, request: Arrival) -> None:
        super().__init__(connection)
        self.request = request


class Idle(Waiting):
    """A connection that is kept open for the next request."""

    __slots__ = ()
    seconds = IDLE_SECONDS


class Reading(Waiting):
    """A connection whose client has not read all of a response."""

    __slots__ = ("kept", "sent")

    def __init__(self, connection: Connection, *, kept: bool) -> None:
        super().__init__(connection)
        self.kept = kept  # open for the next request
        self.sent = 0  # since the client got its time


class Lingering(Waiting):
    """A connection whose response has been sent, until its client closes it or a limit is reached."""

    __slots__ = ("discarded", "last")
    seconds = LINGER_IDLE_SECONDS

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self.discarded = 0
        self.last = time.monotonic() + LINGER_SECONDS
