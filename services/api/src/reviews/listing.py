"""The list of reviews, page by page."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, func, select, true
from sqlalchemy.orm import contains_eager

from src.extensions import db
from src.models import BLOCK_BITS, Sentiment, Tally
from src.reviews.filters import Filters

FIRST_SLICE = 256
WIDENING = 8


@dataclass(frozen=True, slots=True)
class Page:
    """Some reviews, the newest first, and where the next page begins."""

    items: Sequence[Sentiment]
    next_before: int | None
    """The `before` of the next page; None on the last one."""


def page(limit: int, before: int | None = None, filters: Filters = Filters()) -> Page:  # noqa: B008  # it is frozen
    """Return the newest `limit` reviews that `filters` let through, or of those with an id under `before`.

    A keyset page: it costs the same at any depth. Without `q` it is one query, with dates or a model two.
    """
    rows: list[Sentiment] = []
    for ids in _ids(filters, before):
        query = reviews_like(filters).where(*ids).order_by(Sentiment.id.desc()).limit(limit + 1 - len(rows))
        rows += db.session.scalars(query)
        if len(rows) > limit:
            return Page(rows[:limit], rows[limit - 1].id)
    return Page(rows, None)


def reviews_like(filters: Filters) -> Select[Sentiment]:
    """Return the query for reviews and their corrections that `filters` let through, in no order."""
    query = select(Sentiment).outerjoin(Sentiment.correction).options(contains_eager(Sentiment.correction))
    return query.where(*filters.conditions())


def _ids(filters: Filters, before: int | None) -> Iterator[list[ColumnElement[bool]]]:
    """Yield conditions on the id, one query after another, that together leave no review out.

    Without words one query is enough: some index gives the newest first.
    """
    lowest, end = 1, before
    if filters.since or filters.until or filters.model_version:
        lowest, newest = _ids_of_tallies(filters)
        end = min(end or newest, newest)
    if filters.q is None:
        yield ([Sentiment.id >= lowest] if lowest > 1 else []) + ([Sentiment.id < end] if end is not None else [])
    else:
        yield from _slices(lowest, end if end is not None else _newest_id() + 1)


def _slices(lowest: int, end: int) -> Iterator[list[ColumnElement[bool]]]:
    """Yield slices of ids from the newest on, each wider than the one before.

    A word's index lists every review that has it, in no order. A common word is found among the newest few without it,
    and a rare one has a short list; it is the words between for which the planner would have to guess well.
    """
    width = FIRST_SLICE
    while end > lowest:
        yield [Sentiment.id >= max(lowest, end - width), Sentiment.id < end]
        end, width = end - width, width * WIDENING


def _newest_id() -> int:
    return db.session.scalar(select(func.max(Sentiment.id))) or 0


def _ids_of_tallies(filters: Filters) -> tuple[int, int]:
    """Return the least id that a review of these dates and this model can have, and one above the greatest.

    Equal if there is none. Ids, dates and models mostly rise together, and then a page of long ago, or of a model of
    long ago, must not look for its first row from the newest on. But nothing makes them rise: a transaction may be
    long, an import may bring its own dates. So this asks the tallies, block by block, which know what is in each.
    """
    newest = select(func.max(Tally.block)).scalar_subquery()
    candidate = func.generate_series(0, newest).column_valued("candidate")
    there = select(Tally.id).where(Tally.block == candidate, *_of_tally(filters)).limit(1).lateral()
    least, greatest = db.session.execute(select(func.min(candidate), func.max(candidate)).join(there, true())).one()
    if least is None:
        return 1, 1
    return max(1, least << BLOCK_BITS), (greatest + 1) << BLOCK_BITS


def _of_tally(filters: Filters) -> Iterator[ColumnElement[bool]]:
    if filters.model_version is not None:
        yield Tally.model_version == filters.model_version
    if filters.since is not None:
        yield Tally.hour >= func.date_trunc("hour", filters.since, "UTC")
    if filters.until is not None:
        yield Tally.hour < filters.until
