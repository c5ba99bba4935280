"""Logs: JSON lines on standard error, without a word of a review.

An exception is therefore logged as its type and place: its message may quote a review.
"""

import contextlib
import logging
import sys
from typing import Any

import orjson
import structlog
from flask import Flask, Response, g, request
from structlog.typing import ExcInfo, Processor

from src.web.problems import innermost_frames, request_id

logger = structlog.get_logger("request")

_PROBES = ("/healthz", "/readyz", "/metrics")
"""Routes that machines request every few seconds: logged only when they fail."""


class _StandardError:
    """Standard error. A line that cannot be written is lost: a full disk must not fail the request that it is about."""

    def write(self, line: bytes) -> None:
        """Write a line."""
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.buffer.write(line)

    def flush(self) -> None:
        """Send what was written."""
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.buffer.flush()


_stream: Any = _StandardError()  # one for all loggers, which share its lock


class _Logger(structlog.BytesLogger):
    """A logger that writes each line at once: the standard library's handlers take three times as long."""

    def __init__(self, name: str) -> None:
        super().__init__(_stream)
        self.name = name


def configure(level: str) -> None:
    """Write the records of structlog and the standard library, and warnings, as JSON lines with the same keys."""
    about: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    rendered: list[Processor] = [
        structlog.processors.ExceptionRenderer(_without_message),
        structlog.processors.JSONRenderer(orjson.dumps),
    ]
    structlog.configure(
        processors=[*about, *rendered],
        logger_factory=_Logger,
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=True,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=about,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendered, _as_text],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.captureWarnings(True)  # noqa: FBT003  # the parameter has no keyword


def _as_text(_logger: object, _method: str, line: Any) -> str:
    return str(line, "utf-8")


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
