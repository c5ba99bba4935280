"""The summary of many reviews: counts, mean score, histogram, days, and accuracy where people corrected the model."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    Date,
    Row,
    Select,
    false,
    func,
    literal,
    or_,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.orm import Session

from src.models import BINS, Correction, Sentiment, Tally, is_neutral, tally_sentiment
from src.reviews.filters import Filters
from src.reviews.slices import Slice, estimates
from src.sentiment_analyzer.intervals import wilson

NEWEST = 100_000
"""The most reviews that are read if the filters have words or bounds of confidence, which the tallies do not have."""
_TALLIED = {"sentiment", "since", "until", "model_version", "corrected"}
"""The filters that tallies can apply, as `_tallied` does. With any other filter, reviews are read."""
_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Bin:
    """The number of reviews with a score from `start` to `end`, within [-1, 1]."""

    start: float
    end: float
    reviews: int


@dataclass(frozen=True, slots=True)
class Day:
    """The reviews stored on one day, UTC."""

    day: date
    positive: int
    neutral: int
    negative: int
    mean_score: float


@dataclass(frozen=True, slots=True)
class VersionAccuracy:
    """The accuracy of a model version in use, by the corrections of its reviews."""

    model_version: str
    reviews: int
    corrections: int
    """Reviews with a correction, whether it agrees with the model or not."""
    agreed: int

    @property
    def accuracy(self) -> float | None:
        """The share of corrected reviews whose sentiment the correction confirms; None without corrections."""
        return self.agreed / self.corrections if self.corrections else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95% confidence interval of the accuracy."""
        return wilson(self.agreed, self.corrections) if self.corrections else None


@dataclass(frozen=True, slots=True)
class Summary:
    """The figures of the reviews that match the filters."""

    reviews: int
    positive: int
    neutral: int
    negative: int
    mean_score: float | None
    histogram: Sequence[Bin]
    days: Sequence[Day]
    accuracy: Sequence[VersionAccuracy]
    truncated: bool
    """True if more reviews match than the newest `NEWEST`, which alone were read."""


def summarize(session: Session, filters: Filters = Filters()) -> Summary:  # noqa: B008  # it is frozen
    """Return the summary of the reviews that match the filters. Each attempt is one query, so its figures agree."""
    rows: Sequence[Row[Any]] = []
    for source in _sources(session, filters):
        rows = session.execute(_grouped(source)).all()
        if any(row.truncated for row in rows):
            break
    bins = {row.bin: row for row in rows if row.bin is not None}
    days = _days(row for row in rows if row.day is not None)
    reviews = sum(row.reviews for row in bins.values())
    return Summary(
        reviews=reviews,
        positive=sum(day.positive for day in days),
        neutral=sum(day.neutral for day in days),
        negative=sum(day.negative for day in days),
        mean_score=_mean(bins.values()) if reviews else None,
        histogram=[_bin(index, bins[index].reviews if index in bins else 0) for index in range(BINS)],
        days=days,
        accuracy=_in_use(row for row in rows if row.model_version is not None),
        truncated=any(row.truncated for row in rows),
    )


def _bin(index: int, reviews: int) -> Bin:
    return Bin((2 * index - BINS) / BINS, (2 * index + 2 - BINS) / BINS, reviews)


def _days(rows: Iterable[Row[Any]]) -> list[Day]:
    by_day: dict[date, list[Row[Any]]] = {}
    for row in rows:
        by_day.setdefault(row.day, []).append(row)
    return [_day_of(day, of_day) for day, of_day in sorted(by_day.items())]


def _day_of(day: date, rows: Sequence[Row[Any]]) -> Day:
    counts = {row.sentiment: row.reviews for row in rows}
    positive, neutral, negative = (counts.get(name, 0) for name in ("positive", "neutral", "negative"))
    return Day(day, positive, neutral, negative, _mean(rows))


def _mean(rows: Iterable[Row[Any]]) -> float:
    """Return the mean score, within [-1, 1]: sums of added and subtracted scores may be off in the last bit."""
    rows = list(rows)
    total, reviews = sum(row.total for row in rows), sum(row.reviews for row in rows)
    return max(-1.0, min(1.0, float(total / reviews)))


def _in_use(rows: Iterable[Row[Any]]) -> list[VersionAccuracy]:
    by_version: dict[str, list[Row[Any]]] = {}
    for row in rows:
        by_version.setdefault(row.model_version, []).append(row)
    return [
        VersionAccuracy(
            version,
            sum(row.reviews for row in of_version),
            sum(row.reviews for row in of_version if row.agreed is not None),
            sum(row.reviews for row in of_version if row.agreed),
        )
        for version, of_version in sorted(by_version.items())
    ]


def _sources(session: Session, filters: Filters) -> Iterator[CTE]:
    """Yield queries for the rows to add up: the tallies if they can apply every filter that is given, else reviews.

    Their columns are `day`, `model_version`, `bin`, `neutral`, `correction`, `reviews`, `total` and `truncated`. An
    early source is only a guess. Accept it if it found more than `NEWEST` reviews; else try the next.
    """
    if {field.name for field in fields(filters) if getattr(filters, field.name) is not None} <= _TALLIED:
        yield _tallied(filters)
    else:
        for part in estimates(session, filters, NEWEST + 1):
            yield _read(filters, part)


def _grouped(rows: CTE) -> Select[Any]:
    """Return three sets of sums in one query: by bin, by day and sentiment, by model version and agreement.

    In the rows of each set, the columns of the other two are null.
    """
    columns = rows.c
    keys = (
        columns.day, columns.model_version, columns.bin, columns.neutral, columns.correction, columns.truncated,
    )  # fmt: skip
    few = (
        select(*keys, func.sum(columns.reviews).label("reviews"), func.sum(columns.total).label("total"))
        .group_by(*keys)
        .having(func.sum(columns.reviews) != 0)
        .cte("few")
    )
    sentiment = tally_sentiment(few.c)
    agreed = few.c.correction == sentiment
    return select(
        few.c.bin,
        few.c.day,
        sentiment.label("sentiment"),
        few.c.model_version,
        agreed.label("agreed"),
        func.bool_or(few.c.truncated).label("truncated"),
        func.sum(few.c.reviews).cast(BigInteger).label("reviews"),
        func.sum(few.c.total).label("total"),
    ).group_by(func.grouping_sets(tuple_(few.c.bin), tuple_(few.c.day, sentiment), tuple_(few.c.model_version, agreed)))


def _tallied(filters: Filters) -> CTE:
    """Return the tallies of whole hours, and single reviews for the parts of an hour at either end."""
    whole, edges = _hours(filters.since, filters.until)
    conditions = [
        *([] if filters.sentiment is None else [tally_sentiment(Tally) == filters.sentiment]),
        *([] if filters.model_version is None else [Tally.model_version == filters.model_version]),
        *([] if filters.corrected is None else [Tally.correction.is_not(None) == literal(filters.corrected)]),
    ]
    tallies = select(
        _day(Tally.hour), Tally.model_version, Tally.bin, Tally.neutral, Tally.correction, Tally.reviews, Tally.total,
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
    """Return the condition on tallies of whole hours in the interval, and that on the reviews outside these hours."""
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
    """Return the newest matches in a slice as rows to add up. One more is read, to know whether there are more."""
    found = (
        select(
            Sentiment.id, Sentiment.created_on, Sentiment.model_version, Sentiment.sentiment_score, Sentiment.p_neutral,
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
        is_neutral(review.sentiment_score, review.p_neutral).label("neutral"),
        correction.label("correction"),
        literal(1).label("reviews"),
        review.sentiment_score.label("total"),
    ]


def _day(moment: Any) -> ColumnElement[Any]:
    return func.timezone("UTC", moment).cast(Date).label("day")
