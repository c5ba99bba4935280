"""Slices of ids, in which reviews that match filters are looked up.

The planner's estimates of how many reviews have certain words are often wrong, and a wrong one makes it read a whole
table for one page. The same holds for metadata, and for dates of writing, which need not rise with the ids. So the
slices decide how many ids a query looks at, and which index it uses.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import ColumnElement, SQLColumnExpression, func, select, true
from sqlalchemy.orm import Session

from src.models import Sentiment, Tally, block_start, id_by_model, id_by_movie, id_unindexed
from src.reviews.filters import Filters

FIRST_WIDTH = 512
"""Ids in the first slice of a search for words."""
WIDENING = 8
"""The factor by which each further slice is wider."""
SAMPLE = 32_768
"""The newest ids, in which matches are counted to estimate how common they are."""
MARGIN = 1.3
"""The safety factor applied to the estimated number of ids."""


@dataclass(frozen=True, slots=True)
class Slice:
    """A range of ids, and the index that is to be used for it."""

    start: int
    end: int | None
    """The first id after the slice; None if it has no upper bound."""
    bound_key: SQLColumnExpression[int]
    """The expression of the id that is compared with `start` and `end`. Its index can find the slice."""
    sort_key: SQLColumnExpression[int]
    """The expression of the id that the reviews are ordered by. Its index, if there is one, can replace the sort."""

    def conditions(self) -> list[ColumnElement[bool]]:
        """Return the conditions on a row of `sentiments`."""
        start = [self.bound_key >= self.start] if self.start > 1 else []
        return start + ([] if self.end is None else [self.bound_key < self.end])

    def newest_first(self) -> SQLColumnExpression[int]:
        """Return the expression to order by."""
        return self.sort_key.desc()


def slices(session: Session, filters: Filters, before: int | None) -> Iterator[Slice]:
    """Yield slices from the newest ids to the oldest, which together hold every match.

    Mostly there is one slice, since an index has the matches in order. An unordered index, such as that on words, must
    list every match before the newest are known. If the words are common, the newest 512 ids, read without that index,
    hold enough matches. Otherwise the walk goes on in slices that grow eightfold: the index finds all reviews that have
    the words, but only those in the slice are read and sorted. So each query reads few reviews, and there are few
    queries.
    """
    start, end = 1, before
    if filters.since or filters.until:
        start, newest = _ids_of_dates(session, filters)
        end = min(end or newest, newest)
    if not filters.unordered:
        key = _key(filters)
        yield Slice(start, end, key, key)
        return
    end, width = end if end is not None else _newest_id(session) + 1, FIRST_WIDTH
    while end > start:
        yield Slice(max(start, end - width), end, Sentiment.id, Sentiment.id if width == FIRST_WIDTH else id_unindexed)
        end, width = end - width, width * WIDENING


def estimates(session: Session, filters: Filters, wanted: int) -> Iterator[Slice]:
    """Yield slices that may each hold the newest `wanted` matches: with words first an estimate, then all ids.

    The estimate extrapolates from the matches among the newest ids. It spares the reading of every match of a common
    word, or of a wide range of dates of writing.
    """
    if not filters.unordered:
        key = _key(filters)
        yield Slice(1, None, key, key)
        return
    newest = _newest_id(session)
    sample = Slice(newest - SAMPLE, None, Sentiment.id, id_unindexed)
    of_sample = select(func.count()).select_from(Sentiment).outerjoin(Sentiment.correction)
    found = session.scalar(of_sample.where(*filters.conditions(), *sample.conditions())) or 0
    start = newest - round(MARGIN * wanted * SAMPLE / found) if found else 1
    if start > 1:
        yield Slice(start, None, Sentiment.id, id_unindexed)
    yield Slice(1, None, Sentiment.id, id_unindexed)


def _key(filters: Filters) -> SQLColumnExpression[int]:
    """Return the expression of the id that the best index for the filters has, in the order of ids."""
    if filters.reference is not None:  # few reviews have it, one for each owner, so they are sorted
        return id_unindexed
    if filters.movie is not None:
        return id_by_movie
    return Sentiment.id if filters.model_version is None else id_by_model


def _newest_id(session: Session) -> int:
    return session.scalar(select(func.max(Sentiment.id))) or 0


def _ids_of_dates(session: Session, filters: Filters) -> tuple[int, int]:
    """Return the range of ids that reviews of these dates can have, as (start, end), end exclusive.

    Both are 1 if there is no such review. Ids and dates mostly rise together, so a page of old dates should not search
    from the newest id on. But nothing guarantees it: a transaction may be long, or an import may set its own dates. So
    the range comes from the tallies, which have the hours of each block of ids.
    """
    newest = select(func.max(Tally.block)).scalar_subquery()
    candidate = func.generate_series(0, newest).column_valued("candidate")
    there = select(Tally.id).where(Tally.block == candidate, *_hours(filters)).limit(1).lateral()
    least, greatest = session.execute(select(func.min(candidate), func.max(candidate)).join(there, true())).one()
    if least is None:
        return 1, 1
    return max(1, block_start(least)), block_start(greatest + 1)


def _hours(filters: Filters) -> Iterator[ColumnElement[bool]]:
    if filters.since is not None:
        yield Tally.hour >= func.date_trunc("hour", filters.since, "UTC")
    if filters.until is not None:
        yield Tally.hour < filters.until
