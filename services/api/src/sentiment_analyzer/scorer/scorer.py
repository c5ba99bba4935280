"""An analyzer whose model lives in a process of its own: many threads ask, one process computes for all at once."""

import itertools
import logging
import threading
import time
from collections.abc import Sequence

from src.sentiment_analyzer.errors import DeadlinePassed, ModelError, QueueFull, ReviewFailed, ScorerAway
from src.sentiment_analyzer.score import Score
from src.sentiment_analyzer.scorer.batching import Job
from src.sentiment_analyzer.scorer.child import Child
from src.sentiment_analyzer.scorer.observer import Observer

logger = logging.getLogger(__name__)

HANG_SECONDS = 5.0
"""A batch takes a fraction of a second. A scorer with work that says nothing for so long is killed."""
PING_SECONDS = 1.0
"""How often it is asked whether it is there."""
RETRY_SECONDS = 1.0
"""Between a start that failed and the next."""
BACKGROUND_SECONDS = 600.0
"""The longest that a call in the background may wait."""


class _Waiter:
    """A job that somebody waits for."""

    __slots__ = ("answered", "background", "outcome")

    def __init__(self, *, background: bool) -> None:
        self.background = background
        self.answered = threading.Event()
        self.outcome: list[Score] | Exception = DeadlinePassed()

    def answer(self, outcome: list[Score] | Exception) -> None:
        self.outcome = outcome
        self.answered.set()


class Scorer:
    """The model of a scorer process. Safe to share between threads.

    Its process is started again when it dies or hangs; what waited for it raises `ScorerAway`.
    """

    def __init__(self, model_path: str, *, queue: int, seconds: float) -> None:
        """Start the process and wait until it is ready.

        :param queue: the most calls of `analyze` that wait or are being scored.
        :param seconds: the longest that one may wait.
        :raises ModelError: the model cannot be loaded.
        """
        self._model_path, self._queue, self._seconds = model_path, queue, seconds
        self._keys = itertools.count(1)
        self._waiters: dict[int, _Waiter] = {}
        self._lock = threading.Lock()  # of _waiters, of telling how many they are, and of sending
        self._closed = False
        self.observer: Observer | None = None
        self._child, self.ready = Child(model_path), True
        self._keeper = threading.Thread(target=self._keep, name="scorer", daemon=True)
        self._keeper.start()

    @property
    def version(self) -> str:
        """The model's."""
        return self._child.ready.version

    @property
    def calibrated(self) -> bool:
        """Whether the model's scores are."""
        return self._child.ready.calibrated

    @property
    def engine(self) -> str:
        """What computes."""
        return self._child.ready.engine

    @property
    def pid(self) -> int:
        """The id of the process."""
        return self._child.pid

    @property
    def waiting(self) -> int:
        """How many calls wait or are being scored, without those in the background."""
        return sum(not waiter.background for waiter in list(self._waiters.values()))

    @property
    def full(self) -> bool:
        """Whether another one would be refused."""
        return self.waiting >= self._queue

    def analyze(self, texts: Sequence[str], *, background: bool = False) -> list[Score]:
        """Return the score of each text.

        :param background: let all others go first, for longer than they may wait. Takes no place in the queue: who
            works in the background bounds how much that is.
        :raises QueueFull: too many wait already; none of these was taken.
        :raises DeadlinePassed: they waited too long.
        :raises ScorerAway: the process died, or is not there.
        :raises ReviewFailed: scoring one of them failed.
        """
        if not texts:
            return []
        deadline = time.monotonic() + (BACKGROUND_SECONDS if background else self._seconds)
        job, waiter = Job(next(self._keys), list(texts), deadline, background), _Waiter(background=background)
        try:
            self._submit(job, waiter)
            return self._outcome(waiter, job.deadline)
        finally:
            with self._lock:
                self._waiters.pop(job.key, None)
                self._tell_waiting()

    def close(self) -> None:
        """End the process; what waits for it raises `ScorerAway`."""
        self._closed = True
        self._child.kill()
        self._keeper.join()
        self._child.end()  # the keeper may have started another one

    def _submit(self, job: Job, waiter: _Waiter) -> None:
        with self._lock:
            if not self.ready:
                raise ScorerAway
            if self.full and not job.background:
                raise QueueFull
            self._waiters[job.key] = waiter
            try:
                self._child.send(job)
            except OSError as error:
                raise ScorerAway from error
            self._tell_waiting()

    def _tell_waiting(self) -> None:
        """Tell the observer, with the lock held: what one thread counted must not come after what another did later."""
        if self.observer:
            self.observer.waiting(self.waiting)

    @staticmethod
    def _outcome(waiter: _Waiter, deadline: float) -> list[Score]:
        waiter.answered.wait(max(0, deadline - time.monotonic()))
        if isinstance(waiter.outcome, Exception):
            raise waiter.outcome
        return waiter.outcome

    def _keep(self) -> None:
        """Hand out what the process says; when it is gone, start another one."""
        while not self._closed:
            reason = self._listen()
            self._lose()
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

    def _listen(self) -> str:
        """Hand out scores until the process dies or hangs; return which."""
        heard = asked = time.monotonic()
        while True:
            try:
                progress = self._child.receive(PING_SECONDS)
                now = time.monotonic()
                if progress:
                    heard = now
                    if self.observer and progress.batch:
                        self.observer.computed(progress.batch)
                    for key, scores in progress.scored:
                        if waiter := self._waiters.get(key):
                            waiter.answer(ReviewFailed() if scores is None else scores)
                elif now - heard > HANG_SECONDS:
                    return f"said nothing for {HANG_SECONDS:.0f} s"
                if now - asked > PING_SECONDS:
                    asked = now
                    with self._lock:
                        self._child.ping()
            except (EOFError, OSError):
                return "died"

    def _lose(self) -> None:
        """Clear away a process that died or hangs."""
        with self._lock:
            self.ready = False
            waiters = list(self._waiters.values())
        self._child.end()
        for waiter in waiters:
            waiter.answer(ScorerAway())
