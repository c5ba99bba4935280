"""Overload: a POST or PUT that waited too long for a thread is refused, so that not all are late.

gunicorn's threaded worker queues without bound. Refusing a request is far cheaper than scoring it. So under any
load, requests that are served waited about `WAIT_SECONDS` at most, and the others get their 503 soon.
"""

import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import structlog
from flask import Flask
from prometheus_client import CollectorRegistry, Counter

from src.server.metrics import REGISTRY
from src.web.problems import render_problem, request_id_from, status_line

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

logger = structlog.get_logger("request")

WAIT_SECONDS = 1.0
"""The longest wait for a thread, from the time at which the request can be read. A short burst does not reach it."""

_DETAIL = "There are too many requests; nothing was stored. Try again."

_waited = threading.local()


class TimedPool(ThreadPoolExecutor):
    """A thread pool in which each task can read how long it waited."""

    def submit(self, task: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run `task` when a thread is free."""
        return super().submit(_run, time.monotonic(), task, args, kwargs)


def _run(submitted: float, task: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    _waited.seconds = time.monotonic() - submitted
    return task(*args, **kwargs)


class Refusal:
    """WSGI middleware that refuses POST and PUT after too long a wait. Other requests are always answered.

    It stands before Flask, whose work for a request is half of the cost of serving it.
    """

    def __init__(self, app: "WSGIApplication", registry: CollectorRegistry) -> None:
        self._app = app
        self._refused = Counter("http_requests_refused", "Requests refused for overload.", registry=registry)

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Respond with 503, or pass the request on."""
        if environ["REQUEST_METHOD"] not in ("POST", "PUT") or getattr(_waited, "seconds", 0.0) <= WAIT_SECONDS:
            return self._app(environ, start_response)
        self._refused.inc()
        request_id = request_id_from(environ.get("HTTP_X_REQUEST_ID", ""))
        logger.info("answered", method=environ["REQUEST_METHOD"], route=None, status=503, request_id=request_id)
        body, headers = render_problem(503, _DETAIL, request_id)
        start_response(status_line(503), list(headers.items()))
        return [body]


def register(app: Flask) -> None:
    """Put the refusal before `app`."""
    app.wsgi_app = Refusal(app.wsgi_app, app.extensions[REGISTRY])  # type: ignore[method-assign]
