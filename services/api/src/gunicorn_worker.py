"""gunicorn's threaded worker. Its threads know how long a request waited; what it refuses itself is a problem too."""

import http
import json
import socket
import uuid
from concurrent.futures import ThreadPoolExecutor

from gunicorn import util
from gunicorn.workers.gthread import ThreadWorker

from src.overload import TimedPool


class Worker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no type hints
    """What gunicorn.conf.py names."""

    def get_thread_pool(self) -> ThreadPoolExecutor:
        """Return the threads that work on requests."""
        return TimedPool(self.cfg.threads, "request")


def write_problem(connection: socket.socket, status: int, _reason: str, detail: str) -> None:
    """Answer what could not be read as HTTP: no application was asked."""
    title = http.HTTPStatus(status).phrase
    problem = {"type": "about:blank", "title": title, "status": status, "detail": detail or title}
    request_id = uuid.uuid4().hex
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
