"""All reviews that some filters let through, as a stream."""

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Row, case, select

from src.extensions import db
from src.models import Correction, Sentiment
from src.reviews.filters import Filters
from src.reviews.turns import hold

AT_ONCE = 4
"""Exports over HTTP: each holds a connection until its client has read all."""
FETCH = 64
"""Reviews that are asked for at once, however long they are."""

_turns = threading.BoundedSemaphore(AT_ONCE)


def export_turn() -> contextlib.AbstractContextManager[None]:
    """Hold one of the few turns.

    :raises Crowded: all are taken.
    """
    return hold(_turns)


def export(filters: Filters) -> Iterator[Row[Any]]:
    """Return the reviews that `filters` let through, the newest first.

    From one moment, however long it takes: PostgreSQL's cursor keeps the snapshot that it was opened with.

    :raises OperationalError: the database is away; known now, before an answer begins, and not at the first review.
    """
    db.session.connection()
    return _rows(filters)


def _rows(filters: Filters) -> Iterator[Row[Any]]:
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
    yield from db.session.execute(query, execution_options={"yield_per": FETCH})
