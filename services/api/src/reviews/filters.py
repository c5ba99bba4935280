"""The filters that list, summary, comparison and export share."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, literal_column

from src.models import Correction, Sentiment, review_words, with_sentiment


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Conditions on reviews. A filter that is None matches every review; a review matches if every filter does."""

    q: str | None = None
    """Words, in the syntax of PostgreSQL's websearch_to_tsquery: `slow "great cast" -boring or dull`."""
    sentiment: str | None = None
    min_confidence: float | None = None
    max_confidence: float | None = None
    since: datetime | None = None
    """Stored at this time or later."""
    until: datetime | None = None
    """Stored before this time."""
    model_version: str | None = None
    corrected: bool | None = None

    def conditions(self) -> Iterator[ColumnElement[bool]]:
        """Yield the conditions on a row of `sentiments` joined with its row of `corrections`."""
        if self.q is not None:
            yield review_words.op("@@")(func.websearch_to_tsquery(literal_column("'english'::regconfig"), self.q))
        if self.sentiment is not None:
            yield with_sentiment[self.sentiment]
        if self.min_confidence is not None:
            yield Sentiment.confidence >= self.min_confidence
        if self.max_confidence is not None:
            yield Sentiment.confidence <= self.max_confidence
        if self.since is not None:
            yield Sentiment.created_on >= self.since
        if self.until is not None:
            yield Sentiment.created_on < self.until
        if self.model_version is not None:
            yield Sentiment.model_version == self.model_version
        if self.corrected is not None:
            yield Correction.sentiment_id.is_not(None) if self.corrected else Correction.sentiment_id.is_(None)
