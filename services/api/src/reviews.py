"""The use cases. The only place that commits."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import delete as delete_from
from sqlalchemy import insert, select, update
from sqlalchemy.exc import SQLAlchemyError

from src.errors import ReviewNotFound
from src.extensions import analyzer, db, writes
from src.models import Sentiment


@dataclass(frozen=True, slots=True)
class Page:
    """Some reviews, the newest first, and where the next page begins."""

    items: Sequence[Sentiment]
    next_before: int | None
    """The `before` of the next page; None on the last one."""


def create(sentence: str) -> Sentiment:
    """Score a review and store it; returns after the commit, which it may share with others.

    The connection is taken after scoring, so that a slow review holds none.
    """
    review: Sentiment = writes.commit(_score(sentence), _insert)
    return review


def find(review_id: int) -> Sentiment:
    """Return one review.

    :raises ReviewNotFound: no review has that id.
    """
    review = db.session.get(Sentiment, review_id)
    if review is None:
        raise ReviewNotFound(review_id)
    return review


def page(limit: int, before: int | None = None) -> Page:
    """Return the newest `limit` reviews, or those with an id under `before`: a keyset page on the primary key."""
    query = select(Sentiment).order_by(Sentiment.id.desc()).limit(limit + 1)
    if before is not None:
        query = query.where(Sentiment.id < before)
    rows = db.session.scalars(query).all()
    more = len(rows) > limit
    return Page(rows[:limit], rows[limit - 1].id if more else None)


def replace(review_id: int, sentence: str) -> Sentiment:
    """Give a review another text and score that; returns after the commit.

    :raises ReviewNotFound: no review has that id.
    """
    scored = _score(sentence)
    review: Sentiment | None = db.session.scalar(
        update(Sentiment).where(Sentiment.id == review_id).values(scored).returning(Sentiment)
    )
    if review is None:
        raise ReviewNotFound(review_id)
    db.session.commit()
    return review


def delete(review_id: int) -> None:
    """Delete one review; returns after the commit.

    :raises ReviewNotFound: no review has that id.
    """
    deleted = db.session.scalar(delete_from(Sentiment).where(Sentiment.id == review_id).returning(Sentiment.id))
    if deleted is None:
        raise ReviewNotFound(review_id)
    db.session.commit()


def _insert(rows: Sequence[dict[str, Any]]) -> list[Sentiment]:
    """Store rows in one transaction; return them as reviews that belong to no session."""
    statement = insert(Sentiment).returning(
        Sentiment.id, Sentiment.created_on, Sentiment.updated_on, sort_by_parameter_order=True
    )
    try:
        given = db.session.execute(statement, rows).mappings().all()
        db.session.commit()
    except SQLAlchemyError:
        db.session.rollback()
        raise
    return [Sentiment(**row, **columns) for row, columns in zip(rows, given, strict=True)]


def _score(sentence: str) -> dict[str, Any]:
    """Score a sentence; return the columns that say what a model made of it."""
    [score] = analyzer.analyze([sentence])
    return {"sentence": sentence, "model_version": analyzer.version, **asdict(score)}
