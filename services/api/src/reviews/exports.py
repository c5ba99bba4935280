"""Exports: every review that matches the filters, as a stream."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from src.models import Correction, Movie, Sentiment, p_negative, p_positive, sentiment_in_sql
from src.reviews.filters import Filters

FETCH = 64
"""Reviews that are fetched at once. Few, since each may be long."""


def export(session: Session, filters: Filters) -> Iterator[Row[Any]]:
    """Return an iterator over the reviews that match the filters, the newest first.

    They come from one snapshot, however long the iteration takes: the one that PostgreSQL's cursor was opened with.

    :raises OperationalError: the database is away. The call itself raises it, before the response has begun.
    """
    session.connection()
    session.rollback()  # the connection is free again until the first review is read
    return _rows(session, filters)


def _rows(session: Session, filters: Filters) -> Iterator[Row[Any]]:
    scored = Sentiment.sentiment_score, Sentiment.p_neutral
    query = (
        select(
            Sentiment.id,
            Sentiment.sentence,
            Sentiment.sentiment_score,
            Sentiment.confidence,
            sentiment_in_sql(*scored).label("sentiment"),
            p_negative(*scored).label("p_negative"),
            Sentiment.p_neutral,
            p_positive(*scored).label("p_positive"),
            func.array_to_string(Sentiment.warnings, " ").label("warnings"),
            Sentiment.tokens,
            Sentiment.windows,
            Sentiment.model_version,
            Correction.sentiment.label("correction"),
            Correction.created_on.label("corrected_on"),
            Sentiment.created_on,
            Sentiment.updated_on,
            Sentiment.movie_id,
            Movie.title.label("movie"),
            Movie.key.label("movie_key"),
            Sentiment.reference,
            Sentiment.written_on,
            Sentiment.metadata_.label("metadata"),
        )
        .outerjoin(Sentiment.correction)
        .outerjoin(Sentiment.movie)
        .where(*filters.conditions())
        .order_by(Sentiment.id.desc())
    )
    yield from session.execute(query, execution_options={"yield_per": FETCH})
