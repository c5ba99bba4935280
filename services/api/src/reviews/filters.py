"""Which reviews: the filters that the list and the summary share."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, literal_column

from src.models import Correction, Sentiment

_WORDS: ColumnElement[str] = literal_column("to_tsvector('english'::regconfig, \"left\"(sentiments.sentence, 100000))")
"""As the index has it, or the index is not used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What a review must be like; None asks nothing. Several must all hold."""

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
        """Yield what they say of a row of `sentiments` and its `corrections`, joined."""
        if self.q is not None:
            yield _WORDS.op("@@")(func.websearch_to_tsquery(literal_column("'english'::regconfig"), self.q))
        if self.sentiment is not None:
            positive = self.sentiment == "positive"
            yield (
                Sentiment.sentiment_score >= literal_column("0")
                if positive
                else (Sentiment.sentiment_score < literal_column("0"))
            )
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
