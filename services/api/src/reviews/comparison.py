"""Comparison of two model versions over the same reviews: what changed, and which one corrections agree with."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Subquery, and_, func, select, true, union_all
from sqlalchemy.orm import Session

from src.errors import InvalidInput
from src.models import Correction, EarlierScore, Sentiment
from src.reviews.filters import Filters
from src.reviews.summary import InUse
from src.reviews.versions import versions

LARGEST = 10
"""The number of changes that a comparison lists."""


@dataclass(frozen=True, slots=True)
class Side(InUse):
    """One of the two versions. `reviews` counts all that it scored; the rest is of the reviews that both scored."""

    mean_confidence: float | None


@dataclass(frozen=True, slots=True)
class Moved:
    """A review whose score changed."""

    id: int
    old_score: float
    new_score: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """The comparison of two model versions over the reviews whose present text both scored.

    The means are None if there is no such review. A change is the new score minus the old one.
    """

    old: Side
    new: Side
    reviews: int
    agreed: int
    """Reviews whose score has the same sign."""
    to_positive: int
    to_negative: int
    mean_change: float | None
    mean_absolute_change: float | None
    mean_confidence_change: float | None
    largest: Sequence[Moved]
    """The `LARGEST` largest changes, the largest first."""


def compare(
    session: Session,
    old: str,
    new: str,
    filters: Filters = Filters(),  # noqa: B008  # it is frozen
) -> Comparison:
    """Compare two model versions over the reviews that match the filters, in one snapshot.

    :raises InvalidInput: one of them scored no stored review.
    """
    known = {version.model_version for version in versions(session)}
    errors = [
        {"pointer": f"/{name}", "detail": "Scored no stored review. See /sentiments/versions."}
        for name, version in (("old", old), ("new", new))
        if version not in known
    ]
    if errors:
        raise InvalidInput(errors)
    scored = _scored(old, new, filters)
    totals, largest = _totals(scored), _largest(scored)
    rows = session.execute(select(totals, largest).select_from(totals.outerjoin(largest, true()))).all()
    row = rows[0]
    return Comparison(
        old=Side(old, row.old_reviews, row.corrections, row.old_agreed, row.old_confidence),
        new=Side(new, row.new_reviews, row.corrections, row.new_agreed, row.new_confidence),
        reviews=row.both,
        agreed=row.both - row.to_positive - row.to_negative,
        to_positive=row.to_positive,
        to_negative=row.to_negative,
        mean_change=row.mean_change,
        mean_absolute_change=row.mean_absolute_change,
        mean_confidence_change=row.new_confidence - row.old_confidence if row.both else None,
        largest=_sorted(rows),
    )


def _scores(version: str, filters: Filters) -> Subquery:
    """Return the scores by a version: those that reviews have now, and those that another version replaced.

    Filters look at the review. Without filters, PostgreSQL drops the outer joins.
    """
    now = (
        select(Sentiment.id.label("review_id"), Sentiment.sentiment_score.label("score"), Sentiment.confidence)
        .outerjoin(Sentiment.correction)
        .where(Sentiment.model_version == version, *filters.conditions())
    )
    before = (
        select(EarlierScore.sentiment_id, EarlierScore.sentiment_score, EarlierScore.confidence)
        .outerjoin(Sentiment, Sentiment.id == EarlierScore.sentiment_id)
        .outerjoin(Sentiment.correction)
        .where(EarlierScore.model_version == version, EarlierScore.comparable, *filters.conditions())
    )
    return union_all(now, before).subquery()


def _scored(old_version: str, new_version: str, filters: Filters) -> Subquery:
    """Return the reviews that either version scored. If one did not, its columns are null.

    It is a subquery, which is joined twice. A CTE would be written to disk for its second use, and that is slower.
    """
    old, new = _scores(old_version, filters), _scores(new_version, filters)
    review_id = func.coalesce(old.c.review_id, new.c.review_id)
    return (
        select(
            review_id.label("review_id"),
            old.c.score.label("old_score"),
            new.c.score.label("new_score"),
            old.c.confidence.label("old_confidence"),
            new.c.confidence.label("new_confidence"),
            (Correction.sentiment == "positive").label("truth"),
        )
        .select_from(old.outerjoin(new, old.c.review_id == new.c.review_id, full=True))
        .outerjoin(Correction, Correction.sentiment_id == review_id)
        .subquery("scored")
    )


def _totals(scored: Subquery) -> Subquery:
    """Return one row of sums and means. A change is null, and so left out, unless both versions scored the review."""
    columns = scored.c
    old, new, truth = columns.old_score, columns.new_score, columns.truth
    count, both, change = func.count(), and_(old.is_not(None), new.is_not(None)), new - old
    return select(
        func.count(old).label("old_reviews"),
        func.count(new).label("new_reviews"),
        count.filter(both).label("both"),
        count.filter(old < 0, new >= 0).label("to_positive"),
        count.filter(old >= 0, new < 0).label("to_negative"),
        func.avg(change).label("mean_change"),
        func.avg(func.abs(change)).label("mean_absolute_change"),
        func.avg(columns.old_confidence).filter(both).label("old_confidence"),
        func.avg(columns.new_confidence).filter(both).label("new_confidence"),
        func.count(truth).filter(both).label("corrections"),
        count.filter(both, truth == (old >= 0)).label("old_agreed"),
        count.filter(both, truth == (new >= 0)).label("new_agreed"),
    ).subquery("totals")


def _largest(scored: Subquery) -> Subquery:
    size = func.abs(scored.c.new_score - scored.c.old_score)
    query = select(scored.c.review_id, scored.c.old_score, scored.c.new_score).where(size > 0)
    return query.order_by(size.desc(), scored.c.review_id).limit(LARGEST).subquery("largest")


def _sorted(rows: Sequence[Row[Any]]) -> list[Moved]:
    moved = [Moved(row.review_id, row.old_score, row.new_score) for row in rows if row.review_id is not None]
    return sorted(moved, key=lambda one: (-abs(one.new_score - one.old_score), one.id))
