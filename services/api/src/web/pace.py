"""Giving way: what computes for many holds the interpreter, and so whoever has a single review."""

import threading
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

Step = TypeVar("Step")

_lock = threading.Lock()
_free_at = 0.0
"""Until when the time is taken that all who go step by step may compute in."""


def paced(steps: Iterable[Step]) -> Iterator[Step]:
    """Yield each step; wait before the next, so that all threads that do so compute half of the time at most.

    What a thread waits for itself, such as scores, counts: who waits enough is not made to.
    """
    began, computed = time.monotonic(), time.thread_time()
    for step in steps:
        yield step
        time.sleep(_wait(began, time.thread_time() - computed))
        began, computed = time.monotonic(), time.thread_time()


def _wait(began: float, computed: float) -> float:
    """Take the time for what was `computed` since `began`; return how long to wait until it is over."""
    global _free_at  # noqa: PLW0603  # it is the one interpreter's
    with _lock:
        _free_at = max(_free_at, began) + 2 * computed
        return max(0.0, _free_at - time.monotonic())
