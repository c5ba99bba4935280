"""Many requests, window by window: what is computed together, and in which order.

A batch is bounded in tokens and never waited for: what is there is computed (as Infinity and text-embeddings-inference
do it). It is made of windows, not of reviews, so that a review of a hundred thousand characters holds nobody up.
"""

import heapq
import itertools
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from src.sentiment_analyzer.score import Reading, Score, Tokenized

BATCH_TOKENS = 2048
"""The most tokens that are computed together, but for a window that has more."""
LATER = 32
"""So many jobs that came later go before the next window of a long one: short ones need not wait for the whole of it,
and yet it moves on however many of them come."""
BACKGROUND_TOKENS = 192
"""As `BATCH_TOKENS`, in the background while others come: so little that who comes meanwhile hardly waits for it."""
QUIET_TOKENS = 512
"""The same when nobody else has come for `QUIET_SECONDS`: more at once costs less, and yet nobody waits long for it."""
QUIET_SECONDS = 0.5
BEFORE_BACKGROUND = 8
"""So many batches go before one of the background's, if there are so many."""


@dataclass(frozen=True, slots=True)
class Job:
    """Texts that somebody wants scored: a review, or all that are to explain one."""

    key: int
    """What their scores are returned under."""
    texts: Sequence[str]
    deadline: float
    """On the monotonic clock, which all processes of a machine share: later, nobody waits for it any more."""
    background: bool = False
    """It is computed when no other job is there."""


class WindowAnalyzer(Protocol):
    """What a batch is computed with: `SentimentAnalyzer`."""

    def tokenize(self, texts: list[str]) -> list[Tokenized]:
        """Cut texts into windows."""

    def margins(self, windows: list[list[int]]) -> NDArray[np.float64]:
        """Return one margin for each window."""

    def score(self, reading: Reading) -> Score:
        """Return the score of what was read."""


Scored = tuple[int, list[Score] | None]
"""A job's key, and its scores in the order of its texts; None if one of them failed."""


@dataclass(eq=False)
class _Work:
    job: Job
    tokenized: list[Tokenized]
    margins: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.windows = [list(window) for text in self.tokenized for window in text.windows]


_Windows = list[tuple[int, int, int, _Work]]
"""A heap by turn, then by arrival and index."""


class Batcher:
    """Jobs of which some windows are still to be computed."""

    def __init__(self, analyzer: WindowAnalyzer, clock: Callable[[], float] = time.monotonic) -> None:
        self._analyzer = analyzer
        self._clock = clock
        self._arrivals = itertools.count()
        self._foreground: _Windows = []
        self._background: _Windows = []
        self._last_foreground = -math.inf  # when its last window was computed
        self._passed_over = 0  # batches since one of the background's
        self.windows = self.tokens = 0
        """Of the latest batch, special tokens included."""

    def __bool__(self) -> bool:
        """Tell whether there is anything to compute."""
        return bool(self._foreground or self._background)

    def add(self, jobs: list[Job]) -> list[int]:
        """Take jobs in; return the keys of those that fail."""
        failed = []
        for job, tokenized in self._tokenize(jobs):
            if tokenized is None:
                failed.append(job.key)
                continue
            arrival, work = next(self._arrivals), _Work(job, tokenized)
            windows = self._background if job.background else self._foreground
            for index in range(len(work.windows)):
                heapq.heappush(windows, (arrival + LATER * index, arrival, index, work))
        return failed

    def compute(self) -> list[Scored]:
        """Compute one batch; return the jobs that are now complete, or failed."""
        batch = self._next()
        self.windows = len(batch)
        self.tokens = sum(len(work.windows[index]) + 2 for work, index in batch)
        if not batch:  # nobody waits any more
            return []
        try:
            margins = self._analyzer.margins([work.windows[index] for work, index in batch])
        except Exception:  # whatever it is, it is one job's: the others must not fail with it
            return self._compute_apart(batch)
        return self._complete(batch, margins.tolist())

    def _next(self) -> list[tuple[_Work, int]]:
        now = self._clock()
        if self._passed_over < BEFORE_BACKGROUND and (batch := _take(self._foreground, BATCH_TOKENS, now)):
            self._passed_over += bool(self._background)
            return batch
        self._passed_over = 0
        quiet = not self._foreground and now - self._last_foreground > QUIET_SECONDS
        return _take(self._background, QUIET_TOKENS if quiet else BACKGROUND_TOKENS, now)

    def _complete(self, batch: list[tuple[_Work, int]], margins: list[float]) -> list[Scored]:
        complete: list[Scored] = []
        if not all(work.job.background for work, _ in batch):
            self._last_foreground = self._clock()
        for (work, _), margin in zip(batch, margins, strict=True):
            work.margins.append(margin)  # a job's windows come in order
            if len(work.margins) == len(work.windows):
                complete.append((work.job.key, self._scores(work)))
        return complete

    def _scores(self, work: _Work) -> list[Score]:
        margins = iter(work.margins)
        of_texts = [np.array(list(itertools.islice(margins, len(text.windows)))) for text in work.tokenized]
        readings = [Reading(read, text.tokens) for read, text in zip(of_texts, work.tokenized, strict=True)]
        return [self._analyzer.score(reading) for reading in readings]

    def _compute_apart(self, batch: list[tuple[_Work, int]]) -> list[Scored]:
        complete: list[Scored] = []
        failed: set[_Work] = set()
        for work, index in batch:
            if work in failed:
                continue
            try:
                margins = self._analyzer.margins([work.windows[index]])
            except Exception:
                failed.add(work)
                complete.append((work.job.key, None))
            else:
                complete += self._complete([(work, index)], margins.tolist())
        for windows in (self._foreground, self._background):
            windows[:] = [entry for entry in windows if entry[-1] not in failed]
            heapq.heapify(windows)
        return complete

    def _tokenize(self, jobs: list[Job]) -> list[tuple[Job, list[Tokenized] | None]]:
        try:
            tokenized = iter(self._analyzer.tokenize([text for job in jobs for text in job.texts]))
        except Exception:
            if len(jobs) == 1:
                return [(jobs[0], None)]
            return [pair for job in jobs for pair in self._tokenize([job])]
        return [(job, list(itertools.islice(tokenized, len(job.texts)))) for job in jobs]


def _take(windows: _Windows, most: int, now: float) -> list[tuple[_Work, int]]:
    """Take windows of at most so many tokens, or one that has more; drop those of which the deadline passed."""
    batch: list[tuple[_Work, int]] = []
    tokens = 0
    while windows:
        *_, index, work = windows[0]
        if work.job.deadline < now:
            heapq.heappop(windows)
            continue
        tokens += len(work.windows[index]) + 2
        if batch and tokens > most:
            break
        batch.append((work, index))
        heapq.heappop(windows)
    return batch
