"""Threads for requests, each of which can tell how long its request waited for it."""

import threading
import time
from collections import deque
from collections.abc import Callable
from queue import SimpleQueue

import structlog

logger = structlog.get_logger("request")

_Task = Callable[[], None]
_waited = threading.local()


def waited_seconds() -> float:
    """Return how long the task of this thread waited for it, or 0 in a thread of no pool."""
    return float(getattr(_waited, "seconds", 0.0))


class TimedPool:
    """Threads for tasks, each of which can read how long it waited.

    `concurrent.futures` has a pool with outcomes, which cost several times as much as the hand-over to a thread.
    """

    def __init__(self, threads: int, name: str) -> None:
        """:param threads: the most threads. One is started when a task finds no other idle."""
        self._most, self._name = threads, name
        self._threads: list[threading.Thread] = []
        self._idle: deque[None] = deque()  # an entry for each idle thread that no task is meant for
        self._tasks: SimpleQueue[tuple[float, _Task] | None] = SimpleQueue()

    def submit(self, task: _Task) -> None:
        """Run a task when a thread is free. Only one thread may submit tasks."""
        self._tasks.put((time.monotonic(), task))
        if self._idle:
            self._idle.pop()
        elif len(self._threads) < self._most:
            thread = threading.Thread(target=self._work, name=self._name, daemon=True)
            try:
                thread.start()
            except RuntimeError:  # no more threads are allowed: those that there are do it
                if not self._threads:
                    raise
            else:
                self._threads.append(thread)

    def shutdown(self, *, wait: bool = True) -> None:
        """Let the threads end after the tasks that are there; with `wait`, wait for them."""
        for _ in self._threads:
            self._tasks.put(None)
        for thread in self._threads if wait else ():
            thread.join()

    def _work(self) -> None:
        while (submitted := self._tasks.get()) is not None:
            since, task = submitted
            _waited.seconds = time.monotonic() - since
            try:
                task()
            except BaseException:  # of any kind: the thread goes on
                logger.exception("a thread's task failed")
            del submitted, task  # or the request of the task would stay in memory until the next one
            self._idle.append(None)
