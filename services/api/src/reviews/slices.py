"""Where to look for reviews: slices of ids, the newest first, so that no page depends on what the planner guesses."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import ColumnElement, SQLColumnExpression, func, select, true
from sqlalchemy.orm import Session

from src.models import Sentiment, Tally, block_start, id_by_model, id_unindexed
from src.reviews.filters import Filters

FIRST_WIDTH = 512
WIDENING = 8
SAMPLE = 32_768
"""Ids by which it is guessed how common words are."""
GENEROUS = 1.3
"""So many times more ids are read than the guess says."""


@dataclass(frozen=True, slots=True)
class Slice:
    """Reviews with an id from `start` on and under `end`, and which index is to find them."""

    start: int
    end: int | None
    bounded: SQLColumnExpression[int]
    """The id, as the index has it that is to be read from `end` down to `start`."""
    ordered: SQLColumnExpression[int]
    """The id, as the index has it whose order is to be kept."""

    def conditions(self) -> list[ColumnElement[bool]]:
        """Return what it says of a row of `sentiments`."""
        start = [self.bounded >= self.start] if self.start > 1 else []
        return start + ([] if self.end is None else [self.bounded < self.end])

    def newest_first(self) -> SQLColumnExpression[int]:
        """Return what to sort by."""
        return self.ordered.desc()


def slices(session: Session, filters: Filters, before: int | None) -> Iterator[Slice]:
    """Yield slices, one query after another, that together leave no review out.

    Without words one is enough: some index gives the newest first. A word's index lists every review that has it, in no
    order. A common word is found among the newest few without it, and a rare one has a short list; the words between
    are looked up in ever wider slices, and only those of their reviews are read that are in the slice.
    """
    start, end = 1, before
    if filters.since or filters.until:
        start, newest = _ids_of_dates(session, filters)
        end = min(end or newest, newest)
    if filters.q is None:
        key = Sentiment.id if filters.model_version is None else id_by_model
        yield Slice(start, end, key, key)
        return
    end, width = end if end is not None else _newest_id(session) + 1, FIRST_WIDTH
    while end > start:
        yield Slice(max(start, end - width), end, Sentiment.id, Sentiment.id if width == FIRST_WIDTH else id_unindexed)
        end, width = end - width, width * WIDENING


def starts(session: Session, filters: Filters, wanted: int) -> Iterator[Slice]:
    """Yield where the newest `wanted` reviews may be: first a guess that is cheap to read, then all.

    The guess goes by how many of the newest ids have the words. Of a common word, the list of all that have it is long.
    """
    everything = Slice(1, None, Sentiment.id, Sentiment.id if filters.q is None else id_unindexed)
    if filters.q is not None:
        newest = _newest_id(session)
        sample = Slice(newest - SAMPLE, None, Sentiment.id, id_unindexed)
        of_sample = select(func.count()).select_from(Sentiment).outerjoin(Sentiment.correction)
        found = session.scalar(of_sample.where(*filters.conditions(), *sample.conditions())) or 0
        start = newest - round(GENEROUS * wanted * SAMPLE / found) if found else 1
        if start > 1:
            yield Slice(start, None, Sentiment.id, id_unindexed)
    yield everything


def _newest_id(session: Session) -> int:
    return session.scalar(select(func.max(Sentiment.id))) or 0


def _ids_of_dates(session: Session, filters: Filters) -> tuple[int, int]:
    """Return the least id that a review of these dates can have, and one above the greatest; equal if there is none.

    Ids and dates mostly rise together, and then a page of long ago must not look for its first row from the newest on.
    But nothing makes them rise: a transaction may be long, an import may bring its own dates. So this asks the tallies,
    block by block, which know what hours are in each.
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
