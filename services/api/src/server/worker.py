"""gunicorn's threaded worker. Its threads know how long a request waited; what it refuses itself is a problem too."""

import http
import json
import logging
import socket
import sys
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import structlog
from gunicorn import util
from gunicorn.arbiter import Arbiter
from gunicorn.workers.gthread import ThreadWorker

from src.server.overload import TimedPool

logger = structlog.get_logger("request")


class Worker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no type hints
    """What gunicorn.conf.py names."""

    def get_thread_pool(self) -> ThreadPoolExecutor:
        """Return the threads that work on requests."""
        return TimedPool(self.cfg.threads, "request")

    def handle_request(self, req: Any, conn: Any) -> bool:
        """Answer. Where the body could not be read to its end, the connection is closed, and this lets it be said."""
        should_close = req.should_close
        req.should_close = lambda: req.body.failed or should_close()
        return bool(super().handle_request(req, conn))

    def load_wsgi(self) -> None:
        """Import the application; end the service with why it cannot be. No review is there yet to be quoted."""
        try:
            super().load_wsgi()
        except Exception as error:
            self.log.critical("The service cannot start: %s", error, exc_info=True)
            sys.exit(Arbiter.WORKER_BOOT_ERROR)


def write_problem(connection: socket.socket, status: int, _reason: str, detail: str) -> None:
    """Answer, and log, what could not be read as HTTP, or what the application failed to begin an answer to."""
    title = http.HTTPStatus(status).phrase
    problem = {"type": "about:blank", "title": title, "status": status, "detail": detail or title}
    request_id, error = uuid.uuid4().hex, sys.exception()  # what the worker answers for
    defect = status == http.HTTPStatus.INTERNAL_SERVER_ERROR
    logger.log(logging.ERROR if defect else logging.INFO, "answered", method=None, route=None, status=status,
               request_id=request_id, error=type(error).__name__, exc_info=error if defect else None)  # fmt: skip
    body = json.dumps({**problem, "request_id": request_id})
    head = [
        f"HTTP/1.1 {status} {title}",
        "Connection: close",
        "Content-Type: application/problem+json",
        f"Content-Length: {len(body)}",
        f"X-Request-ID: {request_id}",
    ]
    util.write_nonblock(connection, "\r\n".join([*head, "", body]).encode("ascii"))


util.write_error = write_problem
"""One method of a worker chooses status and words and hands them to this function: it has no other seam."""
