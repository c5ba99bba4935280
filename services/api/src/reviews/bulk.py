"""Many reviews of one request: scored and stored in small batches, behind the single reviews of other clients."""

import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeAlias

from more_itertools import constrained_batches
from sqlalchemy.orm import Session

from src.errors import DomainError, ReviewChanged
from src.models import Sentiment
from src.reviews.records import new_review, store
from src.reviews.references import known, referenced
from src.reviews.submissions import Submission
from src.sentiment_analyzer import Analyzer, Score
from src.sentiment_analyzer.errors import NotScored, ReviewFailed

BATCH_RECORDS = 64
BATCH_CHARACTERS = 20_000
"""The most that is scored and committed together. The scorer does nothing else while it tokenizes a batch."""
PATIENCE_SECONDS = 60.0
"""The longest that a batch waits for a scorer that is away."""
RETRY_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Known:
    """A review that was stored under its reference before."""

    review: Sentiment


Entry: TypeAlias = Submission | DomainError
"""A review, or the reason why the record has none."""
Outcome: TypeAlias = Sentiment | Known | Exception
"""A review as stored, or the reason why it was not stored."""


def create_many(session: Session, analyzer: Analyzer, entries: Iterable[Entry]) -> Iterator[list[Outcome]]:
    """Score reviews, store them and commit batch by batch; yield the outcomes of each batch in order.

    While one batch is stored, the next is scored. A review that fails does not fail others.
    """
    batches = constrained_batches(entries, BATCH_CHARACTERS, BATCH_RECORDS, get_len=_length, strict=False)
    scoring = ThreadPoolExecutor(1, "bulk")
    try:
        current: tuple[list[Submission | Outcome], Future[list[Score | Exception]]] | None = None
        for batch in batches:
            looked_up = look_up(session, batch)
            texts = [one.sentence for one in looked_up if isinstance(one, Submission)]
            following = looked_up, scoring.submit(_score, analyzer, texts)
            if current:
                yield _store(session, analyzer.version, current[0], current[1].result())
            current = following
        if current:
            yield _store(session, analyzer.version, current[0], current[1].result())
    finally:
        scoring.shutdown(wait=False, cancel_futures=True)


def look_up(session: Session, batch: Sequence[Submission | Outcome]) -> list[Submission | Outcome]:
    """Return the outcome of each review whose reference is taken, and everything else as it is given."""
    try:
        stored = referenced(session, [one for one in batch if isinstance(one, Submission)])
    except Exception as error:  # each line of the response reports it
        time.sleep(RETRY_SECONDS)  # the database is probably away
        return [error if isinstance(one, Submission) and one.reference else one for one in batch]
    return [_known(one, stored) if isinstance(one, Submission) else one for one in batch]


def _known(submission: Submission, stored: dict[tuple[str, str], Sentiment]) -> Submission | Outcome:
    try:
        review = known(submission, stored)
    except DomainError as error:
        return error
    return Known(review) if review else submission


def _length(entry: Entry) -> int:
    return len(entry.sentence) if isinstance(entry, Submission) else 0


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
    session: Session, version: str, batch: Sequence[Submission | Outcome], scores: Iterable[Score | Exception]
) -> list[Outcome]:
    """Store the scored reviews of a batch in one transaction; return the outcome of each."""
    given = iter(scores)
    scored = [next(given) if isinstance(one, Submission) else None for one in batch]
    rows = [
        new_review(one, version, score)
        for one, score in zip(batch, scored, strict=True)
        if isinstance(one, Submission) and isinstance(score, Score)
    ]
    try:
        stored: Iterator[Sentiment | Exception | None] = iter(store(session, rows) if rows else [])
    except Exception as error:  # each line of the response reports it
        time.sleep(RETRY_SECONDS)  # the database is probably away: do not fail every batch that is left at once
        stored = iter([error] * len(rows))
    outcomes: list[Submission | Outcome] = []
    for one, score in zip(batch, scored, strict=True):
        if isinstance(score, Score):
            outcomes.append(next(stored) or one)
        else:
            outcomes.append(one if score is None else score)
    return _settled(session, outcomes)


def _settled(session: Session, outcomes: list[Submission | Outcome]) -> list[Outcome]:
    """Look up the reviews that were not stored, since another one has stored their reference meanwhile."""
    if any(isinstance(one, Submission) for one in outcomes):
        outcomes = look_up(session, outcomes)
    return [ReviewChanged() if isinstance(one, Submission) else one for one in outcomes]
