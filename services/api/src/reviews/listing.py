"""The list of reviews, and the list of a review's earlier scores, page by page."""

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
    """Items with ids, the newest first, and the start of the next page."""

    items: Sequence[Item]
    next_before: int | None
    """The `before` of the next page; None on the last page."""


def page(
    session: Session,
    limit: int,
    before: int | None = None,
    filters: Filters = Filters(),  # noqa: B008  # it is frozen
) -> Page[Sentiment]:
    """Return a page of the reviews that match the filters: the newest, or the newest with an id below `before`.

    The page begins at an id (keyset pagination), so a deep page costs no more than the first. It takes one query.
    Filters by date take one more; words take one for each slice that is read.
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
    """Return a page of the earlier scores of a review: the latest, or the latest with an id below `before`.

    :raises ReviewNotFound: no review has that id.
    """
    find(session, review_id)
    query = select(EarlierScore).where(EarlierScore.sentiment_id == review_id).order_by(EarlierScore.id.desc())
    if before is not None:
        query = query.where(EarlierScore.id < before)
    rows = session.scalars(query.limit(limit + 1)).all()
    return Page(rows[:limit], rows[limit - 1].id if len(rows) > limit else None)
