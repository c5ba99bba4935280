"""What many reviews say together: counts, mean, histogram, days, and how often people agreed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Row

from src.extensions import db
from src.models import BINS
from src.reviews.counting import grouped, sources
from src.reviews.filters import Filters
from src.sentiment_analyzer.intervals import wilson


@dataclass(frozen=True, slots=True)
class Bin:
    """Reviews with a score from `start` to `end`, in [-1, 1]."""

    start: float
    end: float
    reviews: int


@dataclass(frozen=True, slots=True)
class Day:
    """Reviews stored on one day, UTC."""

    day: date
    positive: int
    negative: int
    mean_score: float


@dataclass(frozen=True, slots=True)
class InUse:
    """How one model version does where people said what is right."""

    model_version: str
    reviews: int
    corrections: int
    """Reviews that a person said something of, the same as the model or not."""
    agreed: int

    @property
    def accuracy(self) -> float | None:
        """The share that the model had right, of those that a person said something of; None without one."""
        return self.agreed / self.corrections if self.corrections else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Where that share is, with 95% confidence."""
        return wilson(self.agreed, self.corrections) if self.corrections else None


@dataclass(frozen=True, slots=True)
class Summary:
    """The figures of all reviews that some filters let through, or of the newest of them."""

    reviews: int
    positive: int
    negative: int
    mean_score: float | None
    histogram: Sequence[Bin]
    days: Sequence[Day]
    accuracy: Sequence[InUse]
    truncated: bool
    """Whether there are more, and only the newest `counting.NEWEST` were read."""


def summarize(filters: Filters = Filters()) -> Summary:  # noqa: B008  # it is frozen
    """Return the figures of the reviews that `filters` let through, all of one moment: they come from one query."""
    rows: Sequence[Row[Any]] = []
    for source in sources(filters):
        rows = db.session.execute(grouped(source)).all()
        if any(row.truncated for row in rows):
            break
    bins = {row.bin: row for row in rows if row.bin is not None}
    reviews = sum(row.reviews for row in bins.values())
    positive = sum(row.reviews for index, row in bins.items() if index >= BINS // 2)
    return Summary(
        reviews=reviews,
        positive=positive,
        negative=reviews - positive,
        mean_score=_mean(bins.values()) if reviews else None,
        histogram=[_bin(index, bins[index].reviews if index in bins else 0) for index in range(BINS)],
        days=_days(row for row in rows if row.day is not None),
        accuracy=_in_use(row for row in rows if row.model_version is not None),
        truncated=any(row.truncated for row in rows),
    )


def _bin(index: int, reviews: int) -> Bin:
    return Bin((2 * index - BINS) / BINS, (2 * index + 2 - BINS) / BINS, reviews)


def _days(rows: Iterable[Row[Any]]) -> list[Day]:
    by_day: dict[date, list[Row[Any]]] = {}
    for row in rows:
        by_day.setdefault(row.day, []).append(row)
    return [Day(day, *_signs(of_day), _mean(of_day)) for day, of_day in sorted(by_day.items())]


def _signs(rows: Sequence[Row[Any]]) -> tuple[int, int]:
    return sum(row.reviews for row in rows if row.positive), sum(row.reviews for row in rows if not row.positive)


def _mean(rows: Iterable[Row[Any]]) -> float:
    """Return the mean score. Sums of what was added and taken away may be the last bit off: it stays in [-1, 1]."""
    rows = list(rows)
    total, reviews = sum(row.total for row in rows), sum(row.reviews for row in rows)
    return max(-1.0, min(1.0, float(total / reviews)))


def _in_use(rows: Iterable[Row[Any]]) -> list[InUse]:
    by_version: dict[str, list[Row[Any]]] = {}
    for row in rows:
        by_version.setdefault(row.model_version, []).append(row)
    return [
        InUse(
            version,
            sum(row.reviews for row in of_version),
            sum(row.reviews for row in of_version if row.agreed is not None),
            sum(row.reviews for row in of_version if row.agreed),
        )
        for version, of_version in sorted(by_version.items())
    ]
