"""The queue of the scorer process: jobs are cut into windows, and windows are computed in batches.

A batch is limited in tokens and starts as soon as the previous one ends, with the windows that are there: it never
waits to fill up. Infinity and text-embeddings-inference do the same. Because a batch consists of windows and not of
reviews, a review of a hundred thousand characters does not block the others.
"""

import heapq
import itertools
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from src.sentiment_analyzer.errors import DeadlinePassed, ReviewFailed
from src.sentiment_analyzer.score import Reading, Score, Tokenized

BATCH_TOKENS = 2048
"""The most tokens in a foreground batch, except for one larger window."""
JOBS_PER_WINDOW = 32
"""The number of later jobs that may overtake each further window of a job. Short reviews need not wait for the whole of
a long one, and the long one still advances however many short ones arrive."""
BACKGROUND_TOKENS = 192
"""The most tokens in a background batch while foreground jobs arrive: few, so that the next one hardly waits."""
IDLE_TOKENS = 512
"""The most tokens in a background batch when the foreground is idle: larger batches are cheaper per token."""
IDLE_SECONDS = 0.5
"""The foreground is idle when none of its windows was computed for so long."""
BATCHES_PER_BACKGROUND = 8
"""The number of foreground batches after which one background batch is computed, so that background jobs advance."""


@dataclass(frozen=True, slots=True)
class Job:
    """Texts that are scored for one call: a review, or several texts."""

    key: Any
    """The hashable key under which the outcome is returned."""
    texts: Sequence[str]
    deadline: float
    """A time of the monotonic clock, which the processes of a machine share. After it, the job is dropped."""
    background: bool = False
    """True for a job that gives way to jobs in the foreground."""


class WindowAnalyzer(Protocol):
    """The part of `SentimentAnalyzer` that batching uses."""

    def tokenize(self, texts: list[str]) -> list[Tokenized]:
        """Cut each text into windows of tokens."""

    def logits(self, windows: list[list[int]]) -> NDArray[np.float64]:
        """Return the logits of each window, float64 [windows, labels]."""

    def score(self, reading: Reading) -> Score:
        """Return the calibrated score of a reading."""


Outcome = list[Score] | ReviewFailed | DeadlinePassed
"""The scores of a job's texts in their order, or the reason why there are none."""
Finished = tuple[Any, Outcome]
"""A job's key and its outcome."""


@dataclass(eq=False)
class _Work:
    """A job and the logits of its windows so far."""

    job: Job
    tokenized: list[Tokenized]
    logits: list[NDArray[np.float64]] = field(default_factory=list)
    expired: bool = False

    def __post_init__(self) -> None:
        self.windows = [list(window) for text in self.tokenized for window in text.windows]


_Batch = list[tuple[_Work, int]]
"""Windows, each as a work and an index."""
_Windows = list[tuple[int, int, int, _Work]]
"""A heap of (priority, arrival, index of the window, work), smallest first."""


class Batcher:
    """Jobs with windows that are still to be computed."""

    def __init__(self, analyzer: WindowAnalyzer, clock: Callable[[], float] = time.monotonic) -> None:
        self._analyzer = analyzer
        self._clock = clock
        self._arrivals = itertools.count()
        self._foreground: _Windows = []
        self._background: _Windows = []
        self._foreground_ended = -math.inf  # when the latest foreground batch ended
        self._foreground_batches = 0  # since the latest background batch
        self.windows = self.tokens = 0
        """The size of the latest batch, special tokens included."""

    def __bool__(self) -> bool:
        """Tell whether windows are left."""
        return bool(self._foreground or self._background)

    def add(self, jobs: list[Job]) -> list[Finished]:
        """Queue the windows of jobs; return the jobs that cannot be tokenized."""
        failed: list[Finished] = []
        for job, tokenized in self._tokenize(jobs):
            if tokenized is None:
                failed.append((job.key, ReviewFailed()))
                continue
            arrival, work = next(self._arrivals), _Work(job, tokenized)
            windows = self._background if job.background else self._foreground
            for index in range(len(work.windows)):
                heapq.heappush(windows, (arrival + JOBS_PER_WINDOW * index, arrival, index, work))
        return failed

    def compute(self) -> list[Finished]:
        """Compute one batch; return the jobs that are now complete, have failed, or are past their deadline."""
        batch, expired = self._next_batch()
        self.windows = len(batch)
        self.tokens = sum(len(work.windows[index]) + 2 for work, index in batch)
        if not batch:
            return expired
        try:
            logits = self._analyzer.logits([work.windows[index] for work, index in batch])
        except Exception:  # one job is at fault, and the others must not fail with it
            return expired + self._compute_one_by_one(batch)
        return expired + self._complete(batch, logits)

    def _next_batch(self) -> "tuple[_Batch, list[Finished]]":
        """Return the windows of the next batch, and the jobs that are past their deadline."""
        now, expired = self._clock(), list[Finished]()
        background_due = self._foreground_batches >= BATCHES_PER_BACKGROUND
        if not background_due and (batch := _take(self._foreground, BATCH_TOKENS, now, expired)):
            self._foreground_batches += bool(self._background)
            return batch, expired
        self._foreground_batches = 0
        idle = not self._foreground and now - self._foreground_ended > IDLE_SECONDS
        return _take(self._background, IDLE_TOKENS if idle else BACKGROUND_TOKENS, now, expired), expired

    def _complete(self, batch: _Batch, logits: NDArray[np.float64]) -> list[Finished]:
        """Record the logits of a batch; return the jobs that are now complete."""
        complete: list[Finished] = []
        if not all(work.job.background for work, _ in batch):
            self._foreground_ended = self._clock()
        for (work, _), of_window in zip(batch, logits, strict=True):
            work.logits.append(of_window)  # the windows of a job are computed in order
            if len(work.logits) == len(work.windows):
                complete.append((work.job.key, self._scores(work)))
        return complete

    def _scores(self, work: _Work) -> list[Score]:
        logits = iter(work.logits)
        return [
            self._analyzer.score(
                Reading(np.array(list(itertools.islice(logits, len(text.windows)))), text.tokens, text.warnings)
            )
            for text in work.tokenized
        ]

    def _compute_one_by_one(self, batch: _Batch) -> list[Finished]:
        complete: list[Finished] = []
        failed: set[_Work] = set()
        for work, index in batch:
            if work in failed:
                continue
            try:
                logits = self._analyzer.logits([work.windows[index]])
            except Exception:
                failed.add(work)
                complete.append((work.job.key, ReviewFailed()))
            else:
                complete += self._complete([(work, index)], logits)
        for windows in (self._foreground, self._background):
            windows[:] = [entry for entry in windows if entry[-1] not in failed]
            heapq.heapify(windows)
        return complete

    def _tokenize(self, jobs: list[Job]) -> list[tuple[Job, list[Tokenized] | None]]:
        """Tokenize all jobs together; if that fails, each alone, with None for those that fail."""
        try:
            tokenized = iter(self._analyzer.tokenize([text for job in jobs for text in job.texts]))
        except Exception:
            if len(jobs) == 1:
                return [(jobs[0], None)]
            return [pair for job in jobs for pair in self._tokenize([job])]
        return [(job, list(itertools.islice(tokenized, len(job.texts)))) for job in jobs]


def _take(windows: _Windows, limit: int, now: float, expired: list[Finished]) -> _Batch:
    """Remove and return windows of at most `limit` tokens, or one larger window; move late jobs to `expired`."""
    batch: _Batch = []
    tokens = 0
    while windows:
        *_, index, work = windows[0]
        if work.job.deadline < now:
            heapq.heappop(windows)
            if not work.expired:
                work.expired = True
                expired.append((work.job.key, DeadlinePassed()))
            continue
        tokens += len(work.windows[index]) + 2
        if batch and tokens > limit:
            break
        batch.append((work, index))
        heapq.heappop(windows)
    return batch
