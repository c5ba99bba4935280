"""Rescoring: the loaded model scores the reviews of another version."""

import heapq
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from more_itertools import constrained_batches
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from src.models import Sentiment, Tally, id_by_model
from src.sentiment_analyzer import Analyzer, Score
from src.sentiment_analyzer.score import sentiment_of

BATCH = 256
"""The number of reviews that are read together."""
BATCH_CHARACTERS = 200_000
"""The most of these that is scored and committed together."""
LARGEST = 10
"""The number of changes that a report lists."""


@dataclass(frozen=True, slots=True, order=True)
class Change:
    """The change of a review's score."""

    size: float
    review_id: int
    before: float
    after: float


@dataclass(slots=True)
class Report:
    """The result of rescoring so far."""

    reviews: int = 0
    flips: int = 0
    """Reviews whose sentiment changed."""
    total: float = 0.0
    largest: list[Change] = field(default_factory=list)
    """The largest changes, in no order."""

    @property
    def mean_change(self) -> float:
        """The mean of new score minus old score."""
        return self.total / self.reviews if self.reviews else 0.0

    def add(self, review: Any, score: Score) -> None:
        """Add one review, as a row with its old score, and its new score."""
        before, after = review.sentiment_score, score.sentiment_score
        self.reviews += 1
        self.flips += sentiment_of(before, review.p_neutral) != score.sentiment
        self.total += after - before
        change = Change(abs(after - before), review.id, before, after)
        (heapq.heappush if len(self.largest) < LARGEST else heapq.heappushpop)(self.largest, change)


def outdated(session: Session, version: str) -> dict[str, int]:
    """Count the reviews whose current score is by another model version than `version`, per version."""
    count = func.sum(Tally.reviews)
    query = select(Tally.model_version, count).where(Tally.model_version != version).group_by(Tally.model_version)
    return {other: int(reviews) for other, reviews in session.execute(query.having(count > 0))}


def rescore(session: Session, analyzer: Analyzer, version: str) -> Iterator[Report]:
    """Score the reviews of model `version` again and commit batch by batch; yield the report after each commit.

    A review that is done has another model version, so an interrupted run continues when it is started again. A review
    that is changed or deleted in the meantime is left alone. Corrections are kept.
    """
    report, last = Report(), 0
    while True:
        columns = Sentiment.id, Sentiment.sentence, Sentiment.sentiment_score, Sentiment.p_neutral, Sentiment.updated_on
        rows = session.execute(
            select(*columns)
            .where(Sentiment.model_version == version, id_by_model > last)
            .order_by(id_by_model)
            .limit(BATCH)
        ).all()
        session.rollback()  # no open transaction during scoring
        if not rows:
            return
        for batch in constrained_batches(rows, BATCH_CHARACTERS, get_len=_length, strict=False):
            scores = analyzer.analyze([row.sentence for row in batch])
            for row, score in zip(batch, scores, strict=True):
                if _replace(session, row, score, analyzer.version):
                    report.add(row, score)
            session.commit()
            yield report
        last = rows[-1].id


def _length(row: Any) -> int:
    return len(row.sentence)


def _replace(session: Session, row: Any, score: Score, version: str) -> bool:
    statement = (
        update(Sentiment)
        .where(Sentiment.id == row.id, Sentiment.updated_on == row.updated_on)
        .values(model_version=version, **asdict(score))
        .returning(Sentiment.id)
    )
    return session.scalar(statement) is not None
