"""All reviews that some filters let through, as a stream."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Row, case, select

from src.extensions import db
from src.models import Correction, Sentiment
from src.reviews.filters import Filters

CHUNK = 1000
"""Reviews that are in memory at once."""


def export(filters: Filters) -> Iterator[list[Row[Any]]]:
    """Return the reviews that `filters` let through, the newest first, some at a time.

    From one moment, however long it takes: PostgreSQL's cursor keeps the snapshot that it was opened with.

    :raises OperationalError: the database is away; known now, before an answer begins, and not at the first chunk.
    """
    db.session.connection()
    return _chunks(filters)


def _chunks(filters: Filters) -> Iterator[list[Row[Any]]]:
    query = (
        select(
            Sentiment.id,
            Sentiment.sentence,
            Sentiment.sentiment_score,
            Sentiment.confidence,
            case((Sentiment.sentiment_score >= 0, "positive"), else_="negative").label("sentiment"),
            Sentiment.tokens,
            Sentiment.windows,
            Sentiment.model_version,
            Correction.sentiment.label("correction"),
            Correction.created_on.label("corrected_on"),
            Sentiment.created_on,
            Sentiment.updated_on,
        )
        .outerjoin(Sentiment.correction)
        .where(*filters.conditions())
        .order_by(Sentiment.id.desc())
    )
    for rows in db.session.execute(query, execution_options={"yield_per": CHUNK}).partitions():
        yield list(rows)
