"""Many reviews of one request: scored and stored chunk by chunk, while others come first."""

import contextlib
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict
from typing import TypeAlias

from src.errors import DomainError
from src.files.chunks import chunks
from src.models import Sentiment
from src.reviews.records import NewReview, store
from src.reviews.turns import hold
from src.sentiment_analyzer import Analyzer, Score
from src.sentiment_analyzer.errors import NotScored, ReviewFailed

ARRIVING = 16
"""Bodies that may arrive at once: each takes disk, and no turn yet."""
AT_ONCE = 4
"""Requests with many reviews that are worked on at once."""
TURN_SECONDS = 5.0
"""The longest wait for a turn."""
CHUNK_RECORDS = 64
CHUNK_CHARACTERS = 20_000
"""What is scored and committed together. Cutting so much into tokens takes 10 ms, and nothing is scored meanwhile."""
PATIENCE_SECONDS = 60.0
"""How long a chunk waits for a scorer that is away."""
RETRY_SECONDS = 1.0

Entry: TypeAlias = str | DomainError
"""A sentence, or why there is none."""
Outcome: TypeAlias = Sentiment | Exception
"""A review as stored, or why it was not."""

_arrivals = threading.BoundedSemaphore(ARRIVING)
_turns = threading.BoundedSemaphore(AT_ONCE)


def arrival() -> contextlib.AbstractContextManager[None]:
    """Hold one of the places of those whose body arrives.

    :raises Crowded: all are taken.
    """
    return hold(_arrivals)


def turn() -> contextlib.AbstractContextManager[None]:
    """Hold one of the few turns.

    :raises Crowded: all are taken, and remain so.
    """
    return hold(_turns, TURN_SECONDS)


def create_many(analyzer: Analyzer, entries: Iterable[Entry]) -> Iterator[list[Outcome]]:
    """Score and store reviews; yield what became of each, in order, chunk by chunk, after the chunk's commit.

    The next chunk is scored while one is stored. No review that fails makes another fail.
    """
    scoring = ThreadPoolExecutor(1, "bulk")
    try:
        current: tuple[list[Entry], Future[list[Score | Exception]]] | None = None
        for chunk in chunks(entries, lambda one: one, records=CHUNK_RECORDS, characters=CHUNK_CHARACTERS):
            following = chunk, scoring.submit(_score, analyzer, [one for one in chunk if isinstance(one, str)])
            if current:
                yield _store(analyzer.version, current[0], current[1].result())
            current = following
        if current:
            yield _store(analyzer.version, current[0], current[1].result())
    finally:
        scoring.shutdown(wait=False, cancel_futures=True)


def _score(analyzer: Analyzer, texts: Sequence[str]) -> list[Score | Exception]:
    """Return the score of each text, or why it has none. A scorer that is away is waited for."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return list(analyzer.analyze(texts, background=True))
        except ReviewFailed as error:
            if len(texts) == 1:
                return [error]
            return [score for text in texts for score in _score(analyzer, [text])]
        except NotScored as error:
            if time.monotonic() > deadline:
                return [error] * len(texts)
            time.sleep(RETRY_SECONDS)


def _store(version: str, chunk: Sequence[Entry], scores: Iterable[Score | Exception]) -> list[Outcome]:
    """Store what of a chunk was scored, in one transaction; return what became of each entry."""
    given = iter(scores)
    outcomes = [next(given) if isinstance(entry, str) else entry for entry in chunk]
    rows = [
        NewReview({"sentence": entry, "model_version": version, **asdict(score)})
        for entry, score in zip(chunk, outcomes, strict=True)
        if isinstance(score, Score)
    ]
    try:
        stored: Iterator[Outcome] = iter(store(rows) if rows else [])
    except Exception as error:  # whatever it is: each line is told
        time.sleep(RETRY_SECONDS)  # the database is likely away: do not run through what is left meanwhile
        stored = iter([error] * len(rows))
    return [next(stored) if isinstance(outcome, Score) else outcome for outcome in outcomes]
