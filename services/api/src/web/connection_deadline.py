"""A deadline on a connection: for a request body to arrive, or for a response to be read."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from flask import request


@contextmanager
def connection_deadline(seconds: float, direction: int) -> Iterator[threading.Event]:
    """After `seconds`, set the event that is yielded and shut the request's connection down.

    :param direction: SHUT_RD ends reads. SHUT_RDWR ends writes too, which otherwise could block for ever.
    """
    expired = threading.Event()
    connection: socket.socket | None = request.environ.get("gunicorn.socket")

    def expire() -> None:
        expired.set()
        if connection:
            with suppress(OSError):  # the client has closed it
                connection.shutdown(direction)

    timer = threading.Timer(seconds, expire)
    timer.daemon = True
    timer.start()
    try:
        yield expired
    finally:
        timer.cancel()
