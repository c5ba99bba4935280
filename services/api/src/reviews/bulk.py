"""Many reviews of one request: scored and stored in small batches, behind the single reviews of other clients."""

import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeAlias

from more_itertools import constrained_batches
from sqlalchemy.orm import Session

from src.errors import DomainError
from src.models import Sentiment
from src.reviews.records import NewReview, columns_of, store
from src.sentiment_analyzer import Analyzer, Score
from src.sentiment_analyzer.errors import NotScored, ReviewFailed

BATCH_RECORDS = 64
BATCH_CHARACTERS = 20_000
"""The most that is scored and committed together. The scorer does nothing else while it tokenizes a batch."""
PATIENCE_SECONDS = 60.0
"""The longest that a batch waits for a scorer that is away."""
RETRY_SECONDS = 1.0

Entry: TypeAlias = str | DomainError
"""A sentence, or the reason why the record has none."""
Outcome: TypeAlias = Sentiment | Exception
"""A review as stored, or the reason why it was not stored."""


def create_many(session: Session, analyzer: Analyzer, entries: Iterable[Entry]) -> Iterator[list[Outcome]]:
    """Score reviews, store them and commit batch by batch; yield the outcomes of each batch in order.

    While one batch is stored, the next is scored. A review that fails does not fail others.
    """
    batches = constrained_batches(entries, BATCH_CHARACTERS, BATCH_RECORDS, get_len=_length, strict=False)
    scoring = ThreadPoolExecutor(1, "bulk")
    try:
        current: tuple[Sequence[Entry], Future[list[Score | Exception]]] | None = None
        for batch in batches:
            following = batch, scoring.submit(_score, analyzer, [one for one in batch if isinstance(one, str)])
            if current:
                yield _store(session, analyzer.version, current[0], current[1].result())
            current = following
        if current:
            yield _store(session, analyzer.version, current[0], current[1].result())
    finally:
        scoring.shutdown(wait=False, cancel_futures=True)


def _length(entry: Entry) -> int:
    return len(entry) if isinstance(entry, str) else 0


def _score(analyzer: Analyzer, texts: Sequence[str]) -> list[Score | Exception]:
    """Return the score of each text, or the reason why it has none. Wait for a scorer that is away."""
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


def _store(
    session: Session, version: str, batch: Sequence[Entry], scores: Iterable[Score | Exception]
) -> list[Outcome]:
    """Store the scored reviews of a batch in one transaction; return the outcome of each entry."""
    given = iter(scores)
    outcomes = [next(given) if isinstance(entry, str) else entry for entry in batch]
    rows = [
        NewReview(columns_of(entry, version, score))
        for entry, score in zip(batch, outcomes, strict=True)
        if isinstance(entry, str) and isinstance(score, Score)
    ]
    try:
        stored: Iterator[Outcome] = iter(store(session, rows) if rows else [])
    except Exception as error:  # each line of the response reports it
        time.sleep(RETRY_SECONDS)  # the database is probably away: do not fail every batch that is left at once
        stored = iter([error] * len(rows))
    return [next(stored) if isinstance(outcome, Score) else outcome for outcome in outcomes]
