"""Places for what only a few requests may do at once."""

import contextlib
import threading
from collections.abc import Iterator

from src.errors import Crowded


@contextlib.contextmanager
def hold(places: threading.Semaphore, seconds: float = 0) -> Iterator[None]:
    """Hold one of `places`; wait for it so long.

    :raises Crowded: all are taken, and remain so.
    """
    if not places.acquire(timeout=seconds):
        raise Crowded
    try:
        yield
    finally:
        places.release()
