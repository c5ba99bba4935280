"""gunicorn's threaded worker and its logger, as gunicorn.conf.py names them.

The worker's threads know how long a request waited, and what the worker refuses itself is a problem response too. A
client that is still sending sees its response: the connection is closed in stages (RFC 9112, section 9.6).
"""

import http
import logging
import selectors
import socket
import sys
import time
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any

import structlog
from gunicorn import glogging, util
from gunicorn.arbiter import Arbiter
from gunicorn.config import Config
from gunicorn.workers.gthread import ThreadWorker

from src.server.overload import TimedPool
from src.web.problems import render_problem, request_id_from, status_line

logger = structlog.get_logger("request")

_QUOTING = ("Invalid request from ip=", "Error handling request %s")
"""The beginnings of gunicorn's messages that quote a request, and so perhaps a review. `write_problem` logs instead."""


LINGER_BYTES = 2**26
"""The most bytes that are read and discarded after a response."""
LINGER_SECONDS = 30.0
"""The longest time for which a connection is read after its last response."""
LINGER_IDLE_SECONDS = 2.0
"""The longest pause of a client meanwhile."""
_DISCARD_BYTES = 2**18
"""The most bytes that are discarded at once, since other connections wait meanwhile."""
_DRAINED_BYTES = 2**16
"""The longest rest of a body that gunicorn reads to keep a connection open."""


class _Lingering:
    """A connection whose response has been sent, until its client closes it or a limit is reached."""

    __slots__ = ("connection", "discarded", "idle_from", "until")

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self.discarded = 0
        self.idle_from = time.monotonic()
        self.until = self.idle_from + LINGER_SECONDS


class Worker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no type hints
    """gunicorn's `gthread` worker with a timed pool, problem responses and connections that are closed in stages."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._lingering: dict[_Lingering, None] = {}  # in the order in which they were last read from

    def get_thread_pool(self) -> ThreadPoolExecutor:
        """Return the threads that handle requests."""
        return TimedPool(self.cfg.threads, "request")

    def handle_request(self, req: Any, conn: Any) -> bool:
        """Handle a request. If its body is not read to its end, the connection is closed, and the client is told."""
        should_close = req.should_close
        req.should_close = lambda: req.body.failed or _unread(req) > _DRAINED_BYTES or should_close()
        return bool(super().handle_request(req, conn))

    def finish_request(self, conn: Any, fs: "Future[Any]") -> None:
        """Keep a connection for its next request, or begin to close it.

        gunicorn would wait for the client here for up to two seconds, and other connections with it, and reset the
        connection if the client sends more than 64 KiB. Many clients send all of a body before they read the response,
        and would see the reset instead.
        """
        if fs.cancelled() or fs.exception() or fs.result():
            super().finish_request(conn, fs)
            return
        lingering = _Lingering(conn)
        try:
            conn.sock.settimeout(0)
            conn.sock.shutdown(socket.SHUT_WR)
            self.poller.register(conn.sock, selectors.EVENT_READ, partial(self._discard, lingering))
        except (OSError, ValueError):  # the client is gone, or gunicorn has closed the socket
            self._close(conn)
        else:
            self._lingering[lingering] = None

    def murder_pending(self) -> None:
        """Close connections whose clients send nothing, as gunicorn does before a request, after a response too."""
        super().murder_pending()
        now = time.monotonic()
        while self._lingering and now - next(iter(self._lingering)).idle_from > LINGER_IDLE_SECONDS:
            self._end(next(iter(self._lingering)))

    def _discard(self, lingering: _Lingering, client: socket.socket) -> None:
        """Discard what a client goes on to send, up to the limits."""
        try:
            received = len(client.recv(_DISCARD_BYTES))
        except BlockingIOError:
            return
        except OSError:
            received = 0
        lingering.discarded += received
        now = time.monotonic()
        if not received or lingering.discarded > LINGER_BYTES or now > lingering.until:
            self._end(lingering)
        else:
            lingering.idle_from = now
            self._lingering[lingering] = self._lingering.pop(lingering)

    def _end(self, lingering: _Lingering) -> None:
        del self._lingering[lingering]
        self.poller.unregister(lingering.connection.sock)
        self._close(lingering.connection)

    def _close(self, conn: Any) -> None:
        self.nr_conns -= 1
        conn.close()

    def load_wsgi(self) -> None:
        """Import the application; log why it cannot be imported and end the service.

        The whole error is logged: before the first request there is no review that it could quote.
        """
        try:
            super().load_wsgi()
        except Exception as error:
            self.log.critical("The service cannot start: %s", error, exc_info=True)
            sys.exit(Arbiter.WORKER_BOOT_ERROR)


def _unread(req: Any) -> int:
    """Return how many bytes of a body of known length have not been read."""
    return int(getattr(req.body.reader, "length", 0))


class Logger(glogging.Logger):  # type: ignore[misc]  # gunicorn has no type hints
    """gunicorn's logger, whose records become the service's JSON lines, without those that quote a request."""

    def setup(self, cfg: Config) -> None:
        """Hand gunicorn's records to the handler of `logs.configure`."""
        super().setup(cfg)
        self.error_log.propagate = True
        self.error_log.addFilter(_quotes_nothing)


def _quotes_nothing(record: logging.LogRecord) -> bool:
    return not str(record.msg).startswith(_QUOTING)


def write_problem(connection: socket.socket, status: int, _reason: str, detail: str) -> None:
    """Answer, and log, a request that is not HTTP, or for which the application failed to begin a response."""
    request_id, error = request_id_from(""), sys.exception()  # the worker calls this while it handles that error
    defect = status == http.HTTPStatus.INTERNAL_SERVER_ERROR
    logger.log(logging.ERROR if defect else logging.INFO, "answered", method=None, route=None, status=status,
               request_id=request_id, error=type(error).__name__, exc_info=error if defect else None)  # fmt: skip
    detail = detail or http.HTTPStatus(status).phrase
    body, headers = render_problem(status, detail, request_id, {"Connection": "close"})
    lines = [f"HTTP/1.1 {status_line(status)}", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    util.write_nonblock(connection, "\r\n".join(lines).encode("ascii") + body)


util.write_error = write_problem
"""gunicorn's worker calls this function with the status and the words of a refusal. There is no other hook for it."""
