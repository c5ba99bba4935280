"""gunicorn's threaded worker and its logger, as gunicorn.conf.py names them.

The worker's threads know how long a request waited, and what the worker refuses itself is a problem response too.
"""

import http
import logging
import socket
import sys
from concurrent.futures import ThreadPoolExecutor
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


class Worker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no type hints
    """gunicorn's `gthread` worker with a timed pool and problem responses."""

    def get_thread_pool(self) -> ThreadPoolExecutor:
        """Return the threads that handle requests."""
        return TimedPool(self.cfg.threads, "request")

    def handle_request(self, req: Any, conn: Any) -> bool:
        """Handle a request. If its body cannot be read to its end, the connection is closed, and the client is told."""
        should_close = req.should_close
        req.should_close = lambda: req.body.failed or should_close()
        return bool(super().handle_request(req, conn))

    def load_wsgi(self) -> None:
        """Import the application; log why it cannot be imported and end the service.

        The whole error is logged: before the first request there is no review that it could quote.
        """
        try:
            super().load_wsgi()
        except Exception as error:
            self.log.critical("The service cannot start: %s", error, exc_info=True)
            sys.exit(Arbiter.WORKER_BOOT_ERROR)


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
