"""gunicorn's threaded worker, as gunicorn.conf.py names it.

No thread waits for a client, except in bulks and exports of many megabytes. The worker's poller collects a request
before a thread begins with it, and sends what a client has not read of its response when the thread has ended. A client
that is still sending sees its response: the connection is closed in stages (RFC 9112, section 9.6).
"""

import contextlib
import errno
import http
import os
import selectors
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from typing import Any, TypeVar

from gunicorn.arbiter import Arbiter
from gunicorn.workers.gthread import STOP_KEEPALIVE_LINGER, ThreadWorker

from src.server.arrival import PIECE_BYTES, Arrival
from src.server.client_socket import ClientSocket
from src.server.messages import write_problem
from src.server.overload import ADMISSION, Admission
from src.server.thread_pool import TimedPool
from src.server.waiting import (
    CLIENT_SECONDS,
    IDLE_SECONDS,
    Arriving,
    Connection,
    Idle,
    Lingering,
    Reading,
    Waiting,
)
from src.server.web_server import supervisor_pipe
from src.web.problems import QUEUE_FULL

REQUEST_BYTES = 2**26
"""The most bytes of requests that arrive, wait for a thread or are handled. The oldest that arrive make room."""
READING_BYTES = 2**26
"""The most bytes that several clients have not read of their responses. The oldest are cut off for newer ones."""
LINGER_BYTES = 2**26
"""The most bytes that are read and discarded after a response."""
_RECEIVED_BYTES = 2**16
"""The most bytes that are received at once, since other connections wait meanwhile."""
_AWAITED_BODY_BYTES = REQUEST_BYTES // 8
"""A thread begins with a request when so much of its body has arrived, whatever MAX_BODY_BYTES allows."""
_DRAINED_BYTES = 2**16
"""The longest rest of a body that gunicorn reads to keep a connection open."""


_W = TypeVar("_W", bound=Waiting)


class Worker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no type hints
    """gunicorn's `gthread` worker whose poller waits for clients, with a timed pool and problem responses.

    The poller's thread, which is the main one, calls the methods. A method says so if threads for requests call it.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Each is in the order in which its connections' time ends.
        self._idle: dict[Idle, None] = {}
        self._arriving: dict[Arriving, None] = {}
        self._reading: dict[Reading, None] = {}
        self._lingering: dict[Lingering, None] = {}
        self._reading_bytes = 0
        self._request_bytes = 0
        self._lock = threading.Lock()  # guards the number above, and what is registered with the poller
        self._most_body = 0
        self._admission: Admission

    def run(self) -> None:
        """Serve until gunicorn stops this worker."""
        if (pipe := supervisor_pipe()) is not None:
            self.poller.register(pipe, selectors.EVENT_READ, self._stop_gunicorn)
        super().run()

    def _stop_gunicorn(self, pipe: int) -> None:
        """Stop the service: the supervisor's end of a pipe has closed, which the kernel does however it dies."""
        self.poller.unregister(pipe)
        if self.is_parent_alive():
            os.kill(self.ppid, signal.SIGTERM)

    def is_parent_alive(self) -> bool:
        """Tell whether gunicorn runs. Without it, this worker finishes its requests and ends: another one serves."""
        lives = bool(super().is_parent_alive())
        if not lives:
            self.alive = False
        return lives

    def get_thread_pool(self) -> TimedPool:
        """Return the threads that handle requests."""
        return TimedPool(self.cfg.threads, "request")

    def accept(self, listener: socket.socket) -> None:
        """Accept a connection and wait for its request."""
        try:
            accepted, address = listener.accept()
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.ECONNABORTED):
                raise
            return
        self.nr_conns += 1
        self._await_request(Connection(self.cfg, ClientSocket(accepted), address, listener.getsockname()))

    def _resume(self, idle: Idle, _client: socket.socket) -> None:
        """Begin to receive the next request of a connection that was kept open."""
        self._unwatch(self._idle, idle)
        self._await_request(idle.connection)

    def _await_request(self, conn: Any, data: bytes = b"") -> None:
        """Receive a request, of which a connection may have sent the beginning behind another."""
        arriving = Arriving(conn, Arrival(self._most_body, data))
        self._count(arriving, len(data))
        if arriving.request.enough:
            self._begin(arriving)
        elif self._receive(arriving, conn.sock):  # most requests are there already, and need no poller
            self._watch(self._arriving, arriving, selectors.EVENT_READ, self._receive)

    def _receive(self, arriving: Arriving, client: socket.socket) -> bool:
        """Receive more of a request, let a thread handle it when that is enough, and tell whether it goes on."""
        try:
            data = client.recv(_RECEIVED_BYTES, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return True
        except OSError:  # the client is gone
            self._give_up(arriving)
            return False
        request, conn = arriving.request, arriving.connection
        earned = request.add(data)
        self._count(arriving, len(data))
        if request.enough or (not data and request.data):  # the parser says what is wrong with one that is cut off
            self._begin(arriving)
        elif not data:
            self._give_up(arriving)
        elif request.has_endless_header:
            self._refuse(arriving, _ENDLESS_HEADER)
        elif request.has_endless_framing:
            self._refuse(arriving, _ENDLESS_FRAMING)
        else:
            if request.expects_continue:
                conn.continued = True
                with contextlib.suppress(OSError):  # the client is gone, which the next event reports
                    client.send(b"HTTP/1.1 100 Continue\r\n\r\n", socket.MSG_DONTWAIT)
            if earned and arriving in self._arriving:
                self._extend(self._arriving, arriving)
            return True
        return False

    def _count(self, arriving: Arriving, received: int) -> None:
        with self._lock:
            arriving.connection.request_bytes += received
            self._request_bytes += received

    def _discount(self, conn: Connection) -> None:
        """Count the bytes of a request no more. A thread may call this."""
        with self._lock:
            self._request_bytes -= conn.request_bytes
            conn.request_bytes = 0

    def _begin(self, arriving: Arriving) -> None:
        """Hand a request to the threads, unless it would only be refused there."""
        self._stop_waiting(arriving)
        conn = arriving.connection
        conn.init()
        conn.admitted = self._admission.is_needed(arriving.request.data)
        if conn.admitted and not self._admission.enter():
            self._turn_away(arriving)
            return
        conn.parser.unreader.unread(bytes(arriving.request.data))
        conn.data_ready = True
        self.tpool.submit(partial(self._handle, conn))

    def _turn_away(self, arriving: Arriving) -> None:
        """Answer a request that scores a review when too many do."""
        conn, kept = arriving.connection, arriving.request.leaves_open
        conn.admitted = conn.continued = False
        self._discount(conn)
        with contextlib.suppress(OSError):  # the client is gone
            write_problem(conn.sock, http.HTTPStatus.SERVICE_UNAVAILABLE, "", QUEUE_FULL, keep=kept)
        self._finish(conn, kept)

    def _refuse(self, arriving: Arriving, problem: tuple[int, str, str]) -> None:
        """Answer a request that will not be handled, if anything of it has come, and close its connection."""
        self._leave(arriving)
        if arriving.request.data:
            with contextlib.suppress(OSError):  # the client is gone
                write_problem(arriving.connection.sock, *problem)
        self._linger(arriving.connection)

    def _give_up(self, arriving: Arriving) -> None:
        self._leave(arriving)
        self._close(arriving.connection)

    def _leave(self, arriving: Arriving) -> None:
        self._stop_waiting(arriving)
        self._discount(arriving.connection)

    def _stop_waiting(self, arriving: Arriving) -> None:
        if arriving in self._arriving:
            self._unwatch(self._arriving, arriving)

    def _handle(self, conn: Connection) -> None:
        """Handle a request, in a thread, and keep its connection open for the next one if that is all.

        A kept connection needs no other thread: the poller sees its next request.
        """
        kept = False
        try:
            kept = bool(self.handle(conn))
        finally:
            if conn.admitted:
                self._admission.leave()
            self._discount(conn)
            self._hand_back(conn, kept=kept)

    def _hand_back(self, conn: Connection, *, kept: bool) -> None:
        """Let the poller go on with a connection; a thread calls this."""
        if kept and self.alive and not conn.sock.unread and not conn.parser.unreader.buf.getvalue():
            self._watch(self._idle, Idle(conn), selectors.EVENT_READ, self._resume)
        else:
            self.method_queue.defer(self._finish, conn, kept)

    def handle_request(self, req: Any, conn: Any) -> bool:
        """Handle a request, in a thread. If its body is not read to its end, its client is told that it is closed."""
        should_close = req.should_close
        req.should_close = lambda: req.body.failed or _unread(req) > _DRAINED_BYTES or should_close()
        if conn.continued:
            req._expected_100_continue = conn.continued = False  # gunicorn would tell the client again
        conn.sock.keeps_next = True
        try:
            kept = bool(super().handle_request(req, conn))
            conn.sock.deliver()  # a header without a body
            return kept
        finally:
            conn.sock.keeps_next = False
            del req.should_close  # a cycle, which would keep the request and its body until the next garbage collection

    def _keepalive_after(self, conn: Connection, keepalive: bool) -> bool:  # noqa: FBT001  # as gunicorn calls it
        """Tell whether a connection stays open. gunicorn sets its timeout twice, even if nothing is left to read."""
        return keepalive and (_is_read(conn.parser.mesg) or bool(super()._keepalive_after(conn, keepalive)))

    def _finish(self, conn: Connection, kept: bool) -> None:  # noqa: FBT001  # gunicorn's queue passes no keywords
        """Wait until the client has read its response; then wait for its next request, or begin to close.

        gunicorn would wait for the client here for up to two seconds, and other connections with it, and reset the
        connection if the client sends more than 64 KiB. Many clients send all of a body before they read the response,
        and would see the reset instead.
        """
        if conn.sock.unread and conn.sock.fileno() >= 0:  # gunicorn closes it where a response breaks off
            self._reading_bytes += len(conn.sock.unread)
            self._watch(self._reading, Reading(conn, kept=kept), selectors.EVENT_WRITE, self._deliver)
        elif not kept:
            self._linger(conn)
        elif behind := conn.parser.unreader.take_buffered():
            self._await_request(conn, behind)
        else:
            self._watch(self._idle, Idle(conn), selectors.EVENT_READ, self._resume)

    def _deliver(self, reading: Reading, client: ClientSocket) -> None:
        """Send more of a response."""
        before = len(client.unread)
        try:
            client.deliver()
        except OSError:  # the client is gone
            self._reading_bytes -= before - len(client.unread)
            self._cut_off(reading)
            return
        sent = before - len(client.unread)
        self._reading_bytes -= sent
        reading.sent += sent
        if not client.unread:
            self._unwatch(self._reading, reading)
            self._finish(reading.connection, reading.kept)
        elif reading.sent >= PIECE_BYTES:
            reading.sent = 0
            self._extend(self._reading, reading)

    def _cut_off(self, reading: Reading) -> None:
        self._reading_bytes -= len(reading.connection.sock.unread)
        self._unwatch(self._reading, reading)
        self._close(reading.connection)

    def _linger(self, conn: Any) -> None:
        """Close this side of a connection, and read on until the client closes its own."""
        try:
            conn.sock.shutdown(socket.SHUT_WR)
            self._watch(self._lingering, Lingering(conn), selectors.EVENT_READ, self._discard)
        except (OSError, ValueError):  # the client is gone, or gunicorn has closed the socket
            self._close(conn)

    def _discard(self, lingering: Lingering, client: socket.socket) -> None:
        """Discard what a client goes on to send, up to the limits."""
        try:
            received = len(client.recv(_RECEIVED_BYTES, socket.MSG_DONTWAIT))
        except BlockingIOError:
            return
        except OSError:
            received = 0
        lingering.discarded += received
        if not received or lingering.discarded > LINGER_BYTES or time.monotonic() > lingering.last:
            self._end(lingering)
        else:
            self._extend(self._lingering, lingering)

    def _end(self, lingering: Lingering) -> None:
        self._unwatch(self._lingering, lingering)
        self._close(lingering.connection)

    def murder_pending(self) -> None:
        """End the connections whose time is over, and the oldest where there is no room; gunicorn calls it often."""
        for idle in self._over(self._idle, 0.0 if self.alive else IDLE_SECONDS - STOP_KEEPALIVE_LINGER):
            self._forget(idle)
        for lingering in self._over(self._lingering):
            self._end(lingering)
        for reading in self._over(self._reading):
            self._cut_off(reading)
        for arriving in self._over(self._arriving, 0.0 if self.alive else CLIENT_SECONDS - STOP_KEEPALIVE_LINGER):
            self._refuse(arriving, _LATE if self.alive else _STOPPING)
        while self._request_bytes > REQUEST_BYTES and (oldest := next(filter(_has_begun, self._arriving), None)):
            self._refuse(oldest, _CROWDED)
        while self._reading_bytes > READING_BYTES and len(self._reading) > 1 and (first := self._oldest(self._reading)):
            self._cut_off(first)
        while self._full and self._make_room():
            pass

    def _make_room(self) -> bool:
        """End the connection that its client misses least; tell whether there was one."""
        if idle := self._oldest(self._idle):
            self._forget(idle)
        elif lingering := self._oldest(self._lingering):
            self._end(lingering)
        elif arriving := self._oldest(self._arriving):
            self._give_up(arriving)
        elif reading := self._oldest(self._reading):
            self._cut_off(reading)
        else:
            return False
        return True

    def _forget(self, idle: Idle) -> None:
        self._unwatch(self._idle, idle)
        self._close(idle.connection)

    @property
    def _full(self) -> bool:
        return bool(self.nr_conns >= self.worker_connections)

    def _watch(self, waiting: dict[_W, None], one: _W, event: int, ready: Any) -> None:
        """Let the poller call `ready` at an event, or end the wait when its time is over. A thread may call this."""
        with self._lock:  # so that the poller, which may see an event at once, finds all of it
            self.poller.register(one.connection.sock, event, partial(ready, one))
            waiting[one] = None

    def _unwatch(self, waiting: dict[_W, None], one: _W) -> None:
        with self._lock:
            self.poller.unregister(one.connection.sock)
            del waiting[one]

    def _oldest(self, waiting: dict[_W, None]) -> _W | None:
        with self._lock:  # a dict must not change between the two calls
            return next(iter(waiting), None)

    def _over(self, waiting: dict[_W, None], early: float = 0.0) -> Iterator[_W]:
        """Yield the connections whose time is over, or would be in `early` seconds."""
        now = time.monotonic() + early
        while (first := self._oldest(waiting)) and first.until < now:
            yield first

    def _extend(self, waiting: dict[_W, None], one: _W) -> None:
        one.extend()
        waiting[one] = waiting.pop(one)  # to the end

    def _close(self, conn: Any) -> None:
        self.nr_conns -= 1
        conn.close()

    def load_wsgi(self) -> None:
        """Import the application; log why it cannot be imported and end the service.

        The whole error is logged: before the first request there is no review that it could quote.
        """
        if self.cfg.preload_app:  # a fork has none of the threads that the application started
            self.log.critical("The service cannot start: remove --preload from GUNICORN_CMD_ARGS.")
            sys.exit(Arbiter.WORKER_BOOT_ERROR)
        try:
            super().load_wsgi()
            self._admission = self.wsgi.extensions[ADMISSION]
            self._most_body = min(self.wsgi.config["MAX_CONTENT_LENGTH"], _AWAITED_BODY_BYTES)
        except Exception as error:
            self.log.critical("The service cannot start: %s", error, exc_info=True)
            sys.exit(Arbiter.WORKER_BOOT_ERROR)


_LATE = (
    http.HTTPStatus.REQUEST_TIMEOUT,
    "",
    f"The request took too long: {CLIENT_SECONDS:.0f} seconds are for the header, and for each 64 KiB of the body.",
)
_ENDLESS_HEADER = http.HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "", "The headers are too large."
_ENDLESS_FRAMING = http.HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "", "The body's chunks are too small."
_CROWDED = http.HTTPStatus.SERVICE_UNAVAILABLE, "", "There are too many requests; nothing was stored. Try again."
_STOPPING = http.HTTPStatus.SERVICE_UNAVAILABLE, "", "The service is being stopped; nothing was stored."


def _has_begun(arriving: Arriving) -> bool:
    return bool(arriving.request.data)


def _is_read(req: Any) -> bool:
    """Tell whether a body of known length has been received to its end."""
    return getattr(req.body.reader, "length", None) == 0


def _unread(req: Any) -> int:
    """Return how many bytes of a body of known length have not been read."""
    return int(getattr(req.body.reader, "length", 0))
