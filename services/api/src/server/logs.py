"""Logs: JSON lines on standard error, without a word of a review.

An exception is therefore logged as its type and place: its message may quote a review.
"""

import logging
import sys
from typing import Any

import structlog
from flask import Flask, Response, g, request
from structlog.typing import ExcInfo, Processor

from src.web.problems import innermost_frames, request_id

logger = structlog.get_logger("request")

_PROBES = ("/healthz", "/readyz", "/metrics")
"""Routes that machines request every few seconds: logged only when they fail."""


def configure(level: str) -> None:
    """Send the records of structlog and the standard library, and warnings, through one JSON renderer."""
    shared: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.ExceptionRenderer(_without_message),
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.captureWarnings(True)  # noqa: FBT003  # the parameter has no keyword


def _without_message(exc_info: ExcInfo) -> dict[str, Any]:
    kind, error, _ = exc_info
    return {"error": kind.__name__, "where": innermost_frames(error)}


def register(app: Flask) -> None:
    """Log one line for each request of `app`, and send its id back to the client."""

    @app.after_request
    def log(response: Response) -> Response:
        response.headers["X-Request-ID"] = request_id()
        route = request.url_rule.rule if request.url_rule else None
        level = logging.DEBUG if route in _PROBES and response.status_code < 400 else logging.INFO
        owner = {"key": g.key_name} if "key_name" in g else {}
        logger.log(level, "answered", method=request.method, route=route, status=response.status_code,
                   request_id=g.request_id, **owner)  # fmt: skip
        return response
