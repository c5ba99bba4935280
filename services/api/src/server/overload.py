"""Overload: what cannot be served soon is refused as early as possible, so that not all are late.

The worker's poller admits as many reviews as the scorer's queue has places. It refuses a further one before a thread
takes it, at a fraction of the cost of serving it. A POST or PUT that waited too long for a thread is refused before
Flask.
"""

import re
import sys
import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING

import structlog
from flask import Flask
from prometheus_client import Counter

from src.sentiment_analyzer import Analyzer
from src.sentiment_analyzer.scorer.scorer import Scorer
from src.server.metrics import REGISTRY
from src.server.thread_pool import waited_seconds
from src.web.problems import render_problem, request_id_from, status_line

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

logger = structlog.get_logger("request")

WAIT_SECONDS = 1.0
"""The longest wait for a thread, from the time at which the request can be read. A short burst does not reach it."""

ADMISSION = "admission"
"""The key of the `Admission` in `app.extensions`."""
_SCORED = re.compile(rb"(POST /(sentiments/?)?|PUT /sentiments/\d+) ")
"""The beginning of a request that scores a review."""
_DETAIL = "There are too many requests; nothing was stored. Try again."


class Admission:
    """The places of those requests that score a review: as many as the scorer's queue has. Threads may share it."""

    def __init__(self, analyzer: Analyzer | None, refused: Counter) -> None:
        self._most = analyzer.queue if isinstance(analyzer, Scorer) else sys.maxsize
        self._taken, self._lock = 0, threading.Lock()
        self._refused = refused

    @staticmethod
    def is_needed(request: bytes | bytearray) -> bool:
        """Tell whether a request scores a review."""
        return bool(_SCORED.match(request))

    def enter(self) -> bool:
        """Take a place until `leave`, or count a refusal and return False."""
        with self._lock:
            if self._taken < self._most:
                self._taken += 1
                return True
        self._refused.inc()
        return False

    def leave(self) -> None:
        """Give the place back."""
        with self._lock:
            self._taken -= 1


class Refusal:
    """WSGI middleware that refuses POST and PUT after too long a wait. Other requests are always answered."""

    def __init__(self, app: "WSGIApplication", refused: Counter) -> None:
        self._app, self._refused = app, refused

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Respond with 503, or pass the request on."""
        if environ["REQUEST_METHOD"] not in ("POST", "PUT") or waited_seconds() <= WAIT_SECONDS:
            return self._app(environ, start_response)
        self._refused.inc()
        request_id = request_id_from(environ.get("HTTP_X_REQUEST_ID", ""))
        logger.info("answered", method=environ["REQUEST_METHOD"], route=None, status=503, request_id=request_id)
        body, headers = render_problem(503, _DETAIL, request_id)
        start_response(status_line(503), list(headers.items()))
        return [body]


def register(app: Flask) -> None:
    """Put the refusal before `app`, and leave the admission to the worker."""
    refused = Counter("http_requests_refused", "Requests refused for overload.", registry=app.extensions[REGISTRY])
    app.extensions[ADMISSION] = Admission(app.extensions["analyzer"], refused)
    app.wsgi_app = Refusal(app.wsgi_app, refused)  # type: ignore[method-assign]
