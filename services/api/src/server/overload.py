"""More requests than there are threads: those that waited too long for one are refused, instead of all being late.

gunicorn's threaded worker queues without bound. Refusing costs a fraction of scoring, so that under any load those who
are served wait about `WAIT_SECONDS` at most, and the others are told at once.
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
"""For a thread, from when the request could be read. A burst may take as long; a lasting overload may not."""

_DETAIL = "There are too many requests at the moment; nothing was stored. Try again."

_waited = threading.local()


class TimedPool(ThreadPoolExecutor):
    """A pool in which each task can ask how long it waited."""

    def submit(self, task: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run a task when a thread is free."""
        return super().submit(_run, time.monotonic(), task, args, kwargs)


def _run(submitted: float, task: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    _waited.seconds = time.monotonic() - submitted
    return task(*args, **kwargs)


class Refusal:
    """WSGI middleware that refuses what would write, where it waited too long. Probes and readers are always answered.

    In front of Flask, whose own work for a request would cost half of what serving it costs.
    """

    def __init__(self, app: "WSGIApplication", registry: CollectorRegistry) -> None:
        self._app = app
        self._refused = Counter("http_requests_refused", "Requests refused unread: overload.", registry=registry)

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer 503, or let the request through."""
        if environ["REQUEST_METHOD"] not in ("POST", "PUT") or getattr(_waited, "seconds", 0.0) <= WAIT_SECONDS:
            return self._app(environ, start_response)
        self._refused.inc()
        request_id = request_id_from(environ.get("HTTP_X_REQUEST_ID", ""))
        logger.info("answered", method=environ["REQUEST_METHOD"], route=None, status=503, request_id=request_id)
        body, headers = render_problem(503, _DETAIL, request_id)
        start_response(status_line(503), list(headers.items()))
        return [body]


def register(app: Flask) -> None:
    """Refuse before `app` is asked."""
    app.wsgi_app = Refusal(app.wsgi_app, app.extensions[REGISTRY])  # type: ignore[method-assign]
