"""Responses that are sent while they are computed."""

import threading
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

import structlog
from flask import stream_with_context

from src.web.problems import innermost_frames, request_id

Step = TypeVar("Step")

logger = structlog.get_logger(__name__)

_lock = threading.Lock()
_free_at = 0.0
"""The time from which the shared budget is unused."""


def streamed(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Return the pieces of a response, computed in the request's context; log an error that breaks it off.

    The status has been sent by then: the client sees only that the end is missing, and the request's line in the log
    says 200. gunicorn logs the error too, but without the request's id.
    """
    return stream_with_context(_logged(pieces))


def _logged(pieces: Iterator[bytes]) -> Iterator[bytes]:
    try:
        yield from pieces
    except Exception as error:
        about = {"error": type(error).__name__, "where": innermost_frames(error)}
        logger.error("answer broken off", request_id=request_id(), **about)  # noqa: TRY400  # the message may quote a review
        raise


def paced(steps: Iterable[Step]) -> Iterator[Step]:
    """Yield each step, and sleep between steps, so that all paced threads together compute half of the time at most.

    Bulk work holds the interpreter lock while it computes; the sleep leaves time for requests with a single review.
    Time that a step spends waiting, for scores say, counts as sleep: a step that waits long enough is not delayed.
    """
    began, computed = time.monotonic(), time.thread_time()
    for step in steps:
        yield step
        time.sleep(_reserve(began, time.thread_time() - computed))
        began, computed = time.monotonic(), time.thread_time()


def _reserve(began: float, computed: float) -> float:
    """Reserve the time for what was `computed` since `began`; return how long to sleep until it is over."""
    global _free_at  # noqa: PLW0603  # there is one interpreter, so one budget
    with _lock:
        _free_at = max(_free_at, began) + 2 * computed
        return max(0.0, _free_at - time.monotonic())
