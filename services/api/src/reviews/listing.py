"""The list of reviews, and of what one was scored before, page by page."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session, contains_eager

from src.models import EarlierScore, Sentiment
from src.reviews.filters import Filters
from src.reviews.records import find
from src.reviews.slices import slices

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """Some of what has ids, the newest first, and where the next page begins."""

    items: Sequence[Item]
    next_before: int | None
    """The `before` of the next page; None on the last one."""


def page(
    session: Session,
    limit: int,
    before: int | None = None,
    filters: Filters = Filters(),  # noqa: B008  # it is frozen
) -> Page[Sentiment]:
    """Return the newest `limit` reviews that `filters` let through, or of those with an id under `before`.

    A keyset page: it costs the same at any depth. Without `q` it is one query, with dates two.
    """
    query = select(Sentiment).outerjoin(Sentiment.correction).options(contains_eager(Sentiment.correction))
    query = query.where(*filters.conditions())
    rows: list[Sentiment] = []
    for part in slices(session, filters, before):
        of_part = query.where(*part.conditions()).order_by(part.newest_first()).limit(limit + 1 - len(rows))
        rows += session.scalars(of_part)
        if len(rows) > limit:
            return Page(rows[:limit], rows[limit - 1].id)
    return Page(rows, None)


def history(session: Session, review_id: int, limit: int, before: int | None = None) -> Page[EarlierScore]:
    """Return the latest `limit` scores that a review had before, or of those with an id under `before`.

    :raises ReviewNotFound: no review has that id.
    """
    find(session, review_id)
    query = select(EarlierScore).where(EarlierScore.sentiment_id == review_id).order_by(EarlierScore.id.desc())
    if before is not None:
        query = query.where(EarlierScore.id < before)
    rows = session.scalars(query.limit(limit + 1)).all()
    return Page(rows[:limit], rows[limit - 1].id if len(rows) > limit else None)
