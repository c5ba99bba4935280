"""An analyzer whose model is in another process: many threads of many processes call it, and one computes for all."""

import itertools
import socket
import threading
import time
from collections.abc import Sequence
from typing import Protocol

from src.sentiment_analyzer.errors import DeadlinePassed, ModelError, QueueFull, ScorerAway
from src.sentiment_analyzer.score import Score
from src.sentiment_analyzer.scorer.batching import Job
from src.sentiment_analyzer.scorer.channel import Channel
from src.sentiment_analyzer.scorer.child import START_SECONDS
from src.sentiment_analyzer.scorer.messages import Batch, Ready

RETRY_SECONDS = 1.0
"""The pause after an attempt to connect that failed."""
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
        """Record that the process had died or hung, and that a new one is ready. One process of a service is told."""


class _Call:
    """A call of `analyze` that waits for its outcome."""

    __slots__ = ("finished", "outcome")

    def __init__(self) -> None:
        self.finished = threading.Event()
        self.outcome: list[Score] | Exception = DeadlinePassed()

    def finish(self, outcome: list[Score] | Exception) -> None:
        self.outcome = outcome
        self.finished.set()


class Scorer:
    """A client of the scorer process. Safe to share between threads.

    When the process is gone, calls that wait for it raise `ScorerAway`, and the scorer connects to the next one.
    """

    def __init__(self, address: str, *, queue: int, seconds: float) -> None:
        """Connect to the process and wait until its model is loaded.

        :param address: the path of the process's socket, of which a `Keeper` tells.
        :param queue: the most foreground calls of `analyze` that are queued or being scored; the process has its own
            limit for all its clients.
        :param seconds: the deadline of a foreground call.
        :raises ModelError: no process is ready.
        """
        self._address, self.queue, self._seconds = address, queue, seconds
        self._keys = itertools.count(1)
        self._calls: dict[int, _Call] = {}
        self._waiting = 0
        self._lock = threading.Lock()  # guards both, reports to the observer, and sending
        self._closed = False
        self.observer: Observer | None = None
        self._channel, self._process = self._connect()
        self.ready = True
        self._watcher = threading.Thread(target=self._watch, name="scorer", daemon=True)
        self._watcher.start()

    @property
    def version(self) -> str:
        """The version of the model."""
        return self._process.version

    @property
    def calibrated(self) -> bool:
        """True if the model has a fitted temperature."""
        return self._process.calibrated

    @property
    def engine(self) -> str:
        """The name of the engine that computes."""
        return self._process.engine

    @property
    def pid(self) -> int:
        """The id of the process."""
        return self._process.pid

    @property
    def waiting(self) -> int:
        """The number of foreground calls that are queued or being scored."""
        return self._waiting

    @property
    def full(self) -> bool:
        """True if another foreground call would be refused."""
        return self.waiting >= self.queue

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
        job, call = Job(next(self._keys), list(texts), deadline, background), _Call()
        try:
            self._submit(job, call)
            return self._wait(call, job.deadline)
        finally:
            with self._lock:
                if self._calls.pop(job.key, None) and not background:
                    self._waiting -= 1
                self._report_queue()

    def close(self) -> None:
        """End the connection; calls that are waiting raise `ScorerAway`."""
        self._closed = True
        self._channel.shut_down()
        self._watcher.join()

    def _submit(self, job: Job, call: _Call) -> None:
        with self._lock:
            if not self.ready:
                raise ScorerAway
            if self.full and not job.background:
                raise QueueFull
            self._calls[job.key] = call
            self._waiting += not job.background
            try:
                self._channel.send(job)
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

    def _connect(self) -> tuple[Channel, Ready]:
        """Return a connection and the description of the process, which comes when the model is loaded.

        :raises ModelError: there is no connection, or the process ends or sends nothing.
        """
        connected = socket.socket(socket.AF_UNIX)
        try:
            connected.connect(self._address)
            channel = Channel(connected)
        except OSError as error:
            connected.close()
            raise ModelError(f"the scorer cannot be reached: {error}") from error
        try:
            deadline = time.monotonic() + START_SECONDS
            while time.monotonic() < deadline and not self._closed:
                if isinstance(ready := channel.receive(RETRY_SECONDS), Ready):
                    return channel, ready
        except (EOFError, OSError):
            pass
        channel.close()
        raise ModelError("the scorer process ended, or sent nothing")

    def _watch(self) -> None:
        """Deliver outcomes to their calls; whenever the process is gone, connect to the next one."""
        while not self._closed:
            self._deliver()
            self._discard()
            while not self._closed and not self.ready:
                try:
                    self._channel, self._process = self._connect()
                except ModelError:  # the keeper logs that the process is gone
                    time.sleep(RETRY_SECONDS)
                else:
                    self.ready = True
                    if self.observer and self._process.replaces:
                        self.observer.started_again()
        self._channel.close()

    def _deliver(self) -> None:
        """Deliver outcomes until the process is gone."""
        while True:
            try:
                progress = self._channel.receive()
            except (EOFError, OSError):
                return
            if self.observer and progress.batch:
                self.observer.computed(progress.batch)
            for key, outcome in progress.outcomes:
                if call := self._calls.get(key):
                    call.finish(outcome)

    def _discard(self) -> None:
        """Close the connection to a process that is gone, and fail the calls that wait for it."""
        with self._lock:
            self.ready = False
            calls = list(self._calls.values())
        self._channel.close()
        for call in calls:
            call.finish(ScorerAway())
