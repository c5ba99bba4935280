"""Slots: how many requests of one kind may run at once."""

import contextlib
import threading
from collections.abc import Iterator

from src.errors import Crowded

UPLOADS = 16
"""Bulk requests whose body may arrive at once. An upload takes disk, but no bulk slot yet."""
BULK_REQUESTS = 4
"""Bulk requests that may be scored and stored at once."""
EXPORTS = 4
"""Exports that may be sent at once. Each holds a connection to the database until its client has read everything."""
EXPLANATIONS = 4
"""Explanations that may be computed at once. One of a long review scores thousands of texts; with more of them, single
reviews would find the scorer's queue full."""
WAIT_SECONDS = 5.0
"""The longest that a bulk request or an explanation waits for its slot."""

_uploads = threading.BoundedSemaphore(UPLOADS)
_bulk_requests = threading.BoundedSemaphore(BULK_REQUESTS)
_exports = threading.BoundedSemaphore(EXPORTS)
_explanations = threading.BoundedSemaphore(EXPLANATIONS)


def upload_slot() -> contextlib.AbstractContextManager[None]:
    """Hold a slot while the body of a bulk request arrives.

    :raises Crowded: all slots are taken.
    """
    return _hold(_uploads)


def bulk_slot() -> contextlib.AbstractContextManager[None]:
    """Hold a slot for the work on a bulk request, after a short wait for it if necessary.

    :raises Crowded: all slots stay taken.
    """
    return _hold(_bulk_requests, WAIT_SECONDS)


def export_slot() -> contextlib.AbstractContextManager[None]:
    """Hold a slot for an export.

    :raises Crowded: all slots are taken.
    """
    return _hold(_exports)


def explanation_slot() -> contextlib.AbstractContextManager[None]:
    """Hold a slot for an explanation, after a short wait for it if necessary.

    :raises Crowded: all slots stay taken.
    """
    return _hold(_explanations, WAIT_SECONDS)


@contextlib.contextmanager
def _hold(slots: threading.Semaphore, wait_seconds: float = 0) -> Iterator[None]:
    if not slots.acquire(timeout=wait_seconds):
        raise Crowded
    try:
        yield
    finally:
        slots.release()
