"""The list of reviews, page by page."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import contains_eager

from src.extensions import db
from src.models import Sentiment
from src.reviews.filters import Filters
from src.reviews.slices import slices


@dataclass(frozen=True, slots=True)
class Page:
    """Some reviews, the newest first, and where the next page begins."""

    items: Sequence[Sentiment]
    next_before: int | None
    """The `before` of the next page; None on the last one."""


def page(limit: int, before: int | None = None, filters: Filters = Filters()) -> Page:  # noqa: B008  # it is frozen
    """Return the newest `limit` reviews that `filters` let through, or of those with an id under `before`.

    A keyset page: it costs the same at any depth. Without `q` it is one query, with dates two.
    """
    query = select(Sentiment).outerjoin(Sentiment.correction).options(contains_eager(Sentiment.correction))
    query = query.where(*filters.conditions())
    rows: list[Sentiment] = []
    for part in slices(filters, before):
        of_part = query.where(*part.conditions()).order_by(part.newest_first()).limit(limit + 1 - len(rows))
        rows += db.session.scalars(of_part)
        if len(rows) > limit:
            return Page(rows[:limit], rows[limit - 1].id)
    return Page(rows, None)
