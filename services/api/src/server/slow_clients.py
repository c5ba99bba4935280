"""Clients that take as long as they like to send, or to read: after so many seconds they are hung up on."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from flask import request


@contextmanager
def hanging_up(seconds: float, direction: int) -> Iterator[threading.Event]:
    """After so many seconds set the event that this is given, and shut the request's connection.

    :param direction: SHUT_RD lets reads end, SHUT_RDWR writes too: the one under way never might.
    """
    expired = threading.Event()
    connection: socket.socket | None = request.environ.get("gunicorn.socket")

    def expire() -> None:
        expired.set()
        if connection:
            with suppress(OSError):  # it hung up itself
                connection.shutdown(direction)

    timer = threading.Timer(seconds, expire)
    timer.daemon = True
    timer.start()
    try:
        yield expired
    finally:
        timer.cancel()
