"""Answers that are sent as they come about."""

from collections.abc import Iterator

import structlog
from flask import stream_with_context

from src.web.problems import request_id, where

logger = structlog.get_logger(__name__)


def streamed(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Return the pieces of an answer, in the request's context; log what breaks it off.

    Its status is sent by then, so that the client sees only that the end is missing, and the request's line in the log
    has 200. gunicorn logs the error too, but not whose it is.
    """
    return stream_with_context(_logged(pieces))


def _logged(pieces: Iterator[bytes]) -> Iterator[bytes]:
    try:
        yield from pieces
    except Exception as error:
        what = {"error": type(error).__name__, "where": where(error)}
        logger.error("answer broken off", request_id=request_id(), **what)  # noqa: TRY400  # the message may quote a review
        raise
