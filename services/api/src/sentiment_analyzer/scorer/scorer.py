"""An analyzer whose model is in a process of its own: many threads call it, one process computes for all of them."""

import itertools
import logging
import threading
import time
from collections.abc import Sequence
from typing import Protocol

from src.sentiment_analyzer.errors import DeadlinePassed, ModelError, QueueFull, ReviewFailed, ScorerAway
from src.sentiment_analyzer.score import Score
from src.sentiment_analyzer.scorer.batching import Job
from src.sentiment_analyzer.scorer.child import Child
from src.sentiment_analyzer.scorer.messages import Batch

logger = logging.getLogger(__name__)

HANG_SECONDS = 5.0
"""A process that sends nothing for so long is killed: a batch takes a fraction of a second."""
PING_SECONDS = 1.0
"""The interval between pings."""
RETRY_SECONDS = 1.0
"""The pause after a start that failed."""
BACKGROUND_SECONDS = 600.0
"""The deadline of a background call."""


class Observer(Protocol):
    """A listener to what a scorer does. Its methods run on the threads that do it."""

    def queue_changed(self, calls: int) -> None:
        """Record how many foreground calls of `analyze` are queued or being scored.

        Calls of this method are serialized, so that the last recorded count is the current one. They hold the scorer's
        lock: return quickly.
        """

    def computed(self, batch: Batch) -> None:
        """Record a batch that was computed."""

    def started_again(self) -> None:
        """Record that the process had died or hung, and that a new one is ready."""


class _Call:
    """A call of `analyze` that waits for its outcome."""

    __slots__ = ("background", "finished", "outcome")

    def __init__(self, *, background: bool) -> None:
        self.background = background
        self.finished = threading.Event()
        self.outcome: list[Score] | Exception = DeadlinePassed()

    def finish(self, outcome: list[Score] | Exception) -> None:
        self.outcome = outcome
        self.finished.set()


class Scorer:
    """The client of a scorer process. Safe to share between threads.

    A process that dies or hangs is replaced; the calls that were waiting for it raise `ScorerAway`.
    """

    def __init__(self, model_path: str, *, queue: int, seconds: float) -> None:
        """Start the process and wait until its model is loaded.

        :param queue: the most foreground calls of `analyze` that are queued or being scored.
        :param seconds: the deadline of a foreground call.
        :raises ModelError: the model cannot be loaded.
        """
        self._model_path, self._queue, self._seconds = model_path, queue, seconds
        self._keys = itertools.count(1)
        self._calls: dict[int, _Call] = {}
        self._lock = threading.Lock()  # guards _calls, reports to the observer, and sending
        self._closed = False
        self.observer: Observer | None = None
        self._child, self.ready = Child(model_path), True
        self._watcher = threading.Thread(target=self._watch, name="scorer", daemon=True)
        self._watcher.start()

    @property
    def version(self) -> str:
        """The version of the model."""
        return self._child.ready.version

    @property
    def calibrated(self) -> bool:
        """True if the model has a fitted temperature."""
        return self._child.ready.calibrated

    @property
    def engine(self) -> str:
        """The name of the engine that computes."""
        return self._child.ready.engine

    @property
    def pid(self) -> int:
        """The id of the process."""
        return self._child.pid

    @property
    def waiting(self) -> int:
        """The number of foreground calls that are queued or being scored."""
        return sum(not call.background for call in list(self._calls.values()))

    @property
    def full(self) -> bool:
        """True if another foreground call would be refused."""
        return self.waiting >= self._queue

    def analyze(self, texts: Sequence[str], *, background: bool = False) -> list[Score]:
        """Return the score of each text.

        :param background: give way to foreground calls, with a longer deadline. A background call takes no place in
            the queue, so its caller must limit how many there are.
        :raises QueueFull: the queue is full; none of the texts was accepted.
        :raises DeadlinePassed: the texts were not scored before their deadline.
        :raises ScorerAway: the process died, hung, or is being started.
        :raises ReviewFailed: one of the texts cannot be scored.
        """
        if not texts:
            return []
        deadline = time.monotonic() + (BACKGROUND_SECONDS if background else self._seconds)
        job, call = Job(next(self._keys), list(texts), deadline, background), _Call(background=background)
        try:
            self._submit(job, call)
            return self._wait(call, job.deadline)
        finally:
            with self._lock:
                self._calls.pop(job.key, None)
                self._report_queue()

    def close(self) -> None:
        """End the process; calls that are waiting raise `ScorerAway`."""
        self._closed = True
        self._child.kill()
        self._watcher.join()
        self._child.end()  # the watcher may have started another process meanwhile

    def _submit(self, job: Job, call: _Call) -> None:
        with self._lock:
            if not self.ready:
                raise ScorerAway
            if self.full and not job.background:
                raise QueueFull
            self._calls[job.key] = call
            try:
                self._child.send(job)
            except OSError as error:
                raise ScorerAway from error
            self._report_queue()

    def _report_queue(self) -> None:
        """Tell the observer how many calls wait. The caller holds the lock, so that reports arrive in order."""
        if self.observer:
            self.observer.queue_changed(self.waiting)

    @staticmethod
    def _wait(call: _Call, deadline: float) -> list[Score]:
        call.finished.wait(max(0, deadline - time.monotonic()))
        if isinstance(call.outcome, Exception):
            raise call.outcome
        return call.outcome

    def _watch(self) -> None:
        """Deliver scores to their calls; whenever the process is gone, start another."""
        while not self._closed:
            reason = self._deliver()
            self._discard()
            while not self._closed and not self.ready:
                logger.error("scorer is gone (%s); starting it again", reason)
                try:
                    self._child, self.ready = Child(self._model_path), True
                except ModelError as error:
                    reason = str(error)
                    time.sleep(RETRY_SECONDS)
                else:
                    if self.observer:
                        self.observer.started_again()

    def _deliver(self) -> str:
        """Deliver scores until the process dies or hangs; return the reason for the log."""
        heard = pinged = time.monotonic()
        while True:
            try:
                progress = self._child.receive(PING_SECONDS)
                now = time.monotonic()
                if progress:
                    heard = now
                    if self.observer and progress.batch:
                        self.observer.computed(progress.batch)
                    for key, scores in progress.scored:
                        if call := self._calls.get(key):
                            call.finish(ReviewFailed() if scores is None else scores)
                elif now - heard > HANG_SECONDS:
                    return f"sent nothing for {HANG_SECONDS:.0f} s"
                if now - pinged > PING_SECONDS:
                    pinged = now
                    with self._lock:
                        self._child.ping()
            except (EOFError, OSError):
                return "died"

    def _discard(self) -> None:
        """End a process that died or hung, and fail the calls that wait for it."""
        with self._lock:
            self.ready = False
            calls = list(self._calls.values())
        self._child.end()
        for call in calls:
            call.finish(ScorerAway())
