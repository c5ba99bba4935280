"""Many reviews, window by window: what is computed together, and in which order.

A batch is bounded in tokens and never waited for: what is there is computed (as Infinity and text-embeddings-inference
do it). It is made of windows, not of reviews, so that a review of a hundred thousand characters holds nobody up.
"""

import heapq
import itertools
import time
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from src.sentiment_analyzer.score import Reading, Score, Tokenized

BATCH_TOKENS = 2048
"""The most tokens that are computed together, but for a window that has more."""
LATER = 32
"""So many reviews that came later go before the next window of a long one: short ones need not wait for the whole of
it, and yet it moves on however many of them come."""


@dataclass(frozen=True, slots=True)
class Job:
    """A review that is to be scored."""

    key: int
    """What its score is returned under."""
    text: str
    deadline: float
    """On the monotonic clock, which all processes of a machine share: later, nobody waits for it any more."""


class WindowAnalyzer(Protocol):
    """What a batch is computed with: `SentimentAnalyzer`."""

    def tokenize(self, texts: list[str]) -> list[Tokenized]:
        """Cut texts into windows."""

    def margins(self, windows: list[list[int]]) -> NDArray[np.float64]:
        """Return one margin for each window."""

    def score(self, reading: Reading) -> Score:
        """Return the score of what was read."""


@dataclass(eq=False)
class _Review:
    job: Job
    tokenized: Tokenized
    margins: list[float] = field(default_factory=list)


class Batcher:
    """Reviews of which some windows are still to be computed."""

    def __init__(self, analyzer: WindowAnalyzer) -> None:
        self._analyzer = analyzer
        self._arrivals = itertools.count()
        self._windows: list[tuple[int, int, int, _Review]] = []  # a heap by turn, then by arrival and index

    def __bool__(self) -> bool:
        """Tell whether there is anything to compute."""
        return bool(self._windows)

    def add(self, jobs: list[Job]) -> list[int]:
        """Take reviews in; return the keys of those that fail."""
        failed = []
        for job, tokenized in self._tokenize(jobs):
            if tokenized is None:
                failed.append(job.key)
                continue
            arrival, review = next(self._arrivals), _Review(job, tokenized)
            for index in range(len(tokenized.windows)):
                heapq.heappush(self._windows, (arrival + LATER * index, arrival, index, review))
        return failed

    def compute(self) -> list[tuple[int, Score | None]]:
        """Compute one batch; return the keys of reviews that are now complete with their scores, None for a failure."""
        batch = self._next()
        if not batch:  # nobody waits any more
            return []
        try:
            margins = self._analyzer.margins([list(review.tokenized.windows[index]) for review, index in batch])
        except Exception:  # whatever it is, it is one review's: the others must not fail with it
            return self._compute_apart(batch)
        return self._complete(batch, margins.tolist())

    def _next(self) -> list[tuple[_Review, int]]:
        batch: list[tuple[_Review, int]] = []
        tokens, now = 0, time.monotonic()
        while self._windows:
            *_, index, review = self._windows[0]
            if review.job.deadline < now:
                heapq.heappop(self._windows)
                continue
            tokens += len(review.tokenized.windows[index]) + 2
            if batch and tokens > BATCH_TOKENS:
                break
            batch.append((review, index))
            heapq.heappop(self._windows)
        return batch

    def _complete(self, batch: list[tuple[_Review, int]], margins: list[float]) -> list[tuple[int, Score | None]]:
        complete: list[tuple[int, Score | None]] = []
        for (review, _), margin in zip(batch, margins, strict=True):
            review.margins.append(margin)  # a review's windows come in order
            if len(review.margins) == len(review.tokenized.windows):
                reading = Reading(np.array(review.margins), review.tokenized.tokens)
                complete.append((review.job.key, self._analyzer.score(reading)))
        return complete

    def _compute_apart(self, batch: list[tuple[_Review, int]]) -> list[tuple[int, Score | None]]:
        complete: list[tuple[int, Score | None]] = []
        failed: set[_Review] = set()
        for review, index in batch:
            if review in failed:
                continue
            try:
                margins = self._analyzer.margins([list(review.tokenized.windows[index])])
            except Exception:
                failed.add(review)
                complete.append((review.job.key, None))
            else:
                complete += self._complete([(review, index)], margins.tolist())
        self._windows = [entry for entry in self._windows if entry[-1] not in failed]
        heapq.heapify(self._windows)
        return complete

    def _tokenize(self, jobs: list[Job]) -> list[tuple[Job, Tokenized | None]]:
        try:
            return list(zip(jobs, self._analyzer.tokenize([job.text for job in jobs]), strict=True))
        except Exception:
            if len(jobs) == 1:
                return [(jobs[0], None)]
            return [pair for job in jobs for pair in self._tokenize([job])]
