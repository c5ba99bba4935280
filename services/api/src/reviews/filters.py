"""The filters that list, summary, comparison and export share."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, literal_column, or_, select

from src.models import Correction, Reference, Sentiment, review_metadata, review_words, with_sentiment


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
    movie: int | None = None
    """The id of the film."""
    reference: str | None = None
    """The reference, whoever's it is."""
    written_since: datetime | None = None
    """Written at this time or later."""
    written_until: datetime | None = None
    """Written before this time."""
    metadata: tuple[tuple[str, str], ...] | None = None
    """Names and values of metadata. A value also matches a number, true, false or null that is written so."""

    @property
    def unordered(self) -> bool:
        """Tell whether the index that finds the matches does not have them in the order of their ids."""
        return any(one is not None for one in (self.q, self.written_since, self.written_until, self.metadata))

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
        yield from self._conditions_on_details()

    def _conditions_on_details(self) -> Iterator[ColumnElement[bool]]:
        if self.movie is not None:
            yield Sentiment.movie_id == self.movie
        if self.reference is not None:
            yield Sentiment.id.in_(select(Reference.review_id).where(Reference.reference == self.reference))
        if self.written_since is not None:
            yield Sentiment.written_on >= self.written_since
        if self.written_until is not None:
            yield Sentiment.written_on < self.written_until
        for name, value in self.metadata or ():
            yield or_(*(review_metadata.contains({name: one}) for one in _meanings(value)))


def _meanings(value: str) -> Iterator[Any]:
    """Yield the text, and the number, true, false or null that it is in JSON.

    >>> list(_meanings("4")), list(_meanings("four"))
    (['4', 4], ['four'])
    """
    yield value
    try:
        read = json.loads(value, parse_constant=str)
    except (ValueError, RecursionError):
        return
    if read is None or isinstance(read, bool | int | float):
        yield read
