"""One end of a connection to the scorer process."""

import contextlib
import os
import socket
import struct
from multiprocessing.connection import Connection
from typing import Any

SEND_SECONDS = 5
"""The time in which the scorer process must read what is sent to it."""


class Channel:
    """A connected socket that carries pickled messages. Each side trusts the other: they are one service."""

    def __init__(self, connected: socket.socket, *, send_seconds: int = SEND_SECONDS) -> None:
        """Take over a socket.

        :param send_seconds: the time in which the other side must read what is sent to it.
        """
        connected.settimeout(None)
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", send_seconds, 0))
        self._socket, self._pipe = connected, Connection(os.dup(connected.fileno()))

    def send(self, message: Any) -> None:
        """Send a message. Only one thread may send at a time.

        :raises OSError: the other side is gone or reads nothing. The connection is ended, since the other side may have
            received half a message; `receive` then raises EOFError on both sides.
        """
        try:
            self._pipe.send(message)
        except OSError:
            self.shut_down()
            raise

    def receive(self, seconds: float | None = None) -> Any:
        """Return the next message, or None if none arrives within so many seconds; with None, wait for one.

        :raises EOFError, OSError: the other side is gone.
        """
        if seconds is None or self._pipe.poll(seconds):
            return self._pipe.recv()
        return None

    def shut_down(self) -> None:
        """End the connection; other threads may still use this object."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """End the connection and free its file descriptors."""
        self.shut_down()
        self._pipe.close()
        self._socket.close()
