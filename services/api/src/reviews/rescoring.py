"""A new model over old rows."""

import heapq
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy import func, literal_column, select, update

from src.extensions import db
from src.files.chunks import chunks
from src.models import Sentiment, Tally
from src.sentiment_analyzer import Analyzer, Score

BATCH = 256
"""Reviews that are read together."""
BATCH_CHARACTERS = 200_000
"""Of these, what is scored together, and committed together."""
LARGEST = 10


@dataclass(frozen=True, slots=True, order=True)
class Change:
    """How much the score of a review moved."""

    size: float
    review_id: int
    before: float
    after: float


@dataclass(slots=True)
class Report:
    """What rescoring did."""

    reviews: int = 0
    flips: int = 0
    """Of how many the sign of the score changed."""
    total: float = 0.0
    largest: list[Change] = field(default_factory=list)
    """The largest changes, in no order."""

    @property
    def mean_change(self) -> float:
        """New scores less old ones, on average."""
        return self.total / self.reviews if self.reviews else 0.0

    def add(self, review_id: int, before: float, after: float) -> None:
        """Take one review in."""
        self.reviews += 1
        self.flips += (before >= 0) != (after >= 0)
        self.total += after - before
        change = Change(abs(after - before), review_id, before, after)
        (heapq.heappush if len(self.largest) < LARGEST else heapq.heappushpop)(self.largest, change)


def outdated(version: str) -> dict[str, int]:
    """Return how many reviews each model version scored, but for `version`."""
    count = func.sum(Tally.reviews)
    query = select(Tally.model_version, count).where(Tally.model_version != version).group_by(Tally.model_version)
    return {other: int(reviews) for other, reviews in db.session.execute(query.having(count > 0))}


def rescore(analyzer: Analyzer, version: str) -> Iterator[Report]:
    """Score what model `version` scored, batch by batch; yield what was done so far after each commit.

    What is done is known by its model version, so that it goes on where it was stopped. A review that changes or is
    deleted meanwhile is left as it is then. Corrections stay.
    """
    report, last = Report(), 0
    order = Sentiment.id + literal_column("0")  # the order of the index on the model
    while True:
        query = select(Sentiment.id, Sentiment.sentence, Sentiment.sentiment_score, Sentiment.updated_on)
        rows = db.session.execute(
            query.where(Sentiment.model_version == version, order > last).order_by(order).limit(BATCH)
        ).all()
        db.session.rollback()  # no transaction while scoring
        if not rows:
            return
        for batch in chunks(rows, lambda row: row.sentence, records=BATCH, characters=BATCH_CHARACTERS):
            scores = analyzer.analyze([row.sentence for row in batch])
            for row, score in zip(batch, scores, strict=True):
                if _replace(row, score, analyzer.version):
                    report.add(row.id, row.sentiment_score, score.sentiment_score)
            db.session.commit()
            yield report
        last = rows[-1].id


def _replace(row: Any, score: Score, version: str) -> bool:
    statement = (
        update(Sentiment)
        .where(Sentiment.id == row.id, Sentiment.updated_on == row.updated_on)
        .values(model_version=version, **asdict(score))
        .returning(Sentiment.id)
    )
    return db.session.scalar(statement) is not None
