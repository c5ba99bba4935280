"""The query behind the summary: from the tallies where they know enough, else from the reviews themselves."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    Date,
    Select,
    case,
    false,
    func,
    literal,
    or_,
    select,
    tuple_,
    union_all,
)

from src.models import BINS, Correction, Sentiment, Tally
from src.reviews.filters import Filters
from src.reviews.slices import Slice, starts

NEWEST = 100_000
"""With words or bounds of confidence, which the tallies do not know, at most this many reviews are read."""
_HOUR = timedelta(hours=1)


def sources(filters: Filters) -> Iterator[CTE]:
    """Yield what to add up: rows with `day`, `model_version`, `bin`, `correction`, `reviews`, `total`, `truncated`.

    Each but the last is good only if it is truncated: then it has the newest `NEWEST`.
    """
    if filters.q is None and filters.min_confidence is None and filters.max_confidence is None:
        yield _tallied(filters)
    else:
        for part in starts(filters, NEWEST + 1):
            yield _read(filters, part)


def grouped(rows: CTE) -> Select[Any]:
    """Return the sums by bin, by day and sign, and by model version and whether a person agreed: three sets of rows.

    In each, the columns that the other two are grouped by are null.
    """
    columns = rows.c
    few = (
        select(
            columns.day, columns.model_version, columns.bin, columns.correction, columns.truncated,
            func.sum(columns.reviews).label("reviews"), func.sum(columns.total).label("total"),
        )
        .group_by(columns.day, columns.model_version, columns.bin, columns.correction, columns.truncated)
        .having(func.sum(columns.reviews) != 0)
        .cte("few")
    )  # fmt: skip
    positive = few.c.bin >= BINS // 2
    agreed = case((few.c.correction.is_not(None), (few.c.correction == "positive") == positive))
    return select(
        few.c.bin,
        few.c.day,
        positive.label("positive"),
        few.c.model_version,
        agreed.label("agreed"),
        func.bool_or(few.c.truncated).label("truncated"),
        func.sum(few.c.reviews).cast(BigInteger).label("reviews"),
        func.sum(few.c.total).label("total"),
    ).group_by(func.grouping_sets(tuple_(few.c.bin), tuple_(few.c.day, positive), tuple_(few.c.model_version, agreed)))


def _tallied(filters: Filters) -> CTE:
    """Whole hours from the tallies; from the reviews what is left of an hour at either end."""
    whole, edges = _hours(filters.since, filters.until)
    conditions = [
        *([] if filters.sentiment is None else [(Tally.bin >= BINS // 2) == literal(filters.sentiment == "positive")]),
        *([] if filters.model_version is None else [Tally.model_version == filters.model_version]),
        *([] if filters.corrected is None else [Tally.correction.is_not(None) == literal(filters.corrected)]),
    ]
    tallies = select(
        _day(Tally.hour), Tally.model_version, Tally.bin, Tally.correction, Tally.reviews, Tally.total,
        false().label("truncated"),
    ).where(*whole, *conditions)  # fmt: skip
    if not edges:
        return tallies.cte("counted")
    reviews = (
        select(*_as_tally(Sentiment, Correction.sentiment), false().label("truncated"))
        .outerjoin(Sentiment.correction)
        .where(*filters.conditions(), or_(*edges))
    )
    return union_all(tallies, reviews).cte("counted")


def _hours(since: datetime | None, until: datetime | None) -> tuple[list[ColumnElement[bool]], list[Any]]:
    """Return which hours of tallies are whole between the two, and which reviews are in none of these."""
    first = None if since is None else _hour_of(since + _HOUR - timedelta.resolution)
    last = None if until is None else _hour_of(until)
    if first is not None and last is not None and first > last:
        return [false()], [Sentiment.created_on >= since]
    edges = []
    if first is not None and first != since:
        edges.append(Sentiment.created_on < first)
    if last is not None and last != until:
        edges.append(Sentiment.created_on >= last)
    whole = ([] if first is None else [Tally.hour >= first]) + ([] if last is None else [Tally.hour < last])
    return whole, edges


def _hour_of(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def _read(filters: Filters, part: Slice) -> CTE:
    """Return the newest reviews of a slice one by one; one more than are counted, to know whether there are more."""
    found = (
        select(
            Sentiment.id, Sentiment.created_on, Sentiment.model_version, Sentiment.sentiment_score,
            Correction.sentiment.label("correction"),
        )
        .outerjoin(Sentiment.correction)
        .where(*filters.conditions(), *part.conditions())
        .order_by(part.newest_first())
        .limit(NEWEST + 1)
        .cte("found")
    )  # fmt: skip
    newest = select(found).order_by(found.c.id.desc()).limit(NEWEST).subquery()
    truncated = select(func.count() > NEWEST).select_from(found).scalar_subquery()
    return select(*_as_tally(newest.c, newest.c.correction), truncated.label("truncated")).cte("counted")


def _as_tally(review: Any, correction: Any) -> list[ColumnElement[Any]]:
    return [
        _day(review.created_on),
        review.model_version,
        func.score_bin(review.sentiment_score).label("bin"),
        correction.label("correction"),
        literal(1).label("reviews"),
        review.sentiment_score.label("total"),
    ]


def _day(moment: Any) -> ColumnElement[Any]:
    return func.timezone("UTC", moment).cast(Date).label("day")
