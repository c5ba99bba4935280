"""Comparison of two model versions over the same reviews: what changed, and which one corrections agree with."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from sqlalchemy import Row, Subquery, func, select, true, union_all
from sqlalchemy.orm import Session

from src.errors import InvalidInput
from src.models import Correction, EarlierScore, Sentiment, sentiment_in_sql
from src.reviews.filters import Filters
from src.reviews.summary import VersionAccuracy
from src.reviews.versions import versions
from src.sentiment_analyzer.score import Sentiment as SentimentName

LARGEST = 10
"""The number of changes that a comparison lists."""
SENTIMENTS: tuple[str, ...] = get_args(SentimentName)


@dataclass(frozen=True, slots=True)
class Side(VersionAccuracy):
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
    table: Mapping[str, Mapping[str, int]]
    """The number of these by their sentiment by the old version, then by the new one."""
    mean_change: float | None
    mean_absolute_change: float | None
    mean_confidence_change: float | None
    largest: Sequence[Moved]
    """The `LARGEST` largest changes, the largest first."""

    @property
    def agreed(self) -> int:
        """Reviews with the same sentiment by both."""
        return sum(self.table[sentiment][sentiment] for sentiment in SENTIMENTS)

    @property
    def to_positive(self) -> int:
        """Reviews that became positive."""
        return self._became("positive")

    @property
    def to_neutral(self) -> int:
        """Reviews that became neutral."""
        return self._became("neutral")

    @property
    def to_negative(self) -> int:
        """Reviews that became negative."""
        return self._became("negative")

    def _became(self, sentiment: str) -> int:
        return sum(row[sentiment] for before, row in self.table.items() if before != sentiment)


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
    groups, largest = _groups(scored), _largest(scored)
    rows = session.execute(select(groups, largest).select_from(groups.outerjoin(largest, true()))).all()
    return _compared(old, new, list({(row.old, row.new, row.truth): row for row in rows}.values()), _moved(rows))


def _compared(old: str, new: str, groups: Sequence[Row[Any]], largest: Sequence[Moved]) -> Comparison:
    """Return the comparison of two versions by the sums of groups of reviews."""
    both = [group for group in groups if group.old is not None and group.new is not None]
    judged = [group for group in both if group.truth is not None]
    reviews, corrections = _count(both), _count(judged)
    table = {
        before: {
            after: _count(group for group in both if (group.old, group.new) == (before, after)) for after in SENTIMENTS
        }
        for before in SENTIMENTS
    }

    def mean(total: Callable[[Row[Any]], float]) -> float | None:
        return sum(map(total, both)) / reviews if reviews else None

    def side(version: str, name: str) -> Side:
        return Side(
            version,
            _count(group for group in groups if getattr(group, name) is not None),
            corrections,
            _count(group for group in judged if getattr(group, name) == group.truth),
            mean(lambda group: getattr(group, f"{name}_confidence")),
        )

    return Comparison(
        old=side(old, "old"),
        new=side(new, "new"),
        reviews=reviews,
        table=table,
        mean_change=mean(lambda group: group.change),
        mean_absolute_change=mean(lambda group: group.absolute_change),
        mean_confidence_change=mean(lambda group: group.new_confidence - group.old_confidence),
        largest=largest,
    )


def _count(groups: Iterable[Row[Any]]) -> int:
    return sum(group.reviews for group in groups)


def _scores(version: str, filters: Filters) -> Subquery:
    """Return the scores by a version: those that reviews have now, and those that another version replaced.

    Filters look at the review. Without filters, PostgreSQL drops the outer joins.
    """
    now = (
        select(
            Sentiment.id.label("review_id"),
            Sentiment.sentiment_score.label("score"),
            sentiment_in_sql(Sentiment.sentiment_score, Sentiment.p_neutral).label("sentiment"),
            Sentiment.confidence,
        )
        .outerjoin(Sentiment.correction)
        .where(Sentiment.model_version == version, *filters.conditions())
    )
    before = (
        select(
            EarlierScore.sentiment_id,
            EarlierScore.sentiment_score,
            sentiment_in_sql(EarlierScore.sentiment_score, EarlierScore.p_neutral),
            EarlierScore.confidence,
        )
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
            old.c.sentiment.label("old"),
            new.c.sentiment.label("new"),
            old.c.confidence.label("old_confidence"),
            new.c.confidence.label("new_confidence"),
            Correction.sentiment.label("truth"),
        )
        .select_from(old.outerjoin(new, old.c.review_id == new.c.review_id, full=True))
        .outerjoin(Correction, Correction.sentiment_id == review_id)
        .subquery("scored")
    )


def _groups(scored: Subquery) -> Subquery:
    """Return the sums over reviews with the same two sentiments and the same correction.

    A change is null, and so left out, unless both versions scored the review.
    """
    columns = scored.c
    change, keys = columns.new_score - columns.old_score, (columns.old, columns.new, columns.truth)
    return (
        select(
            *keys,
            func.count().label("reviews"),
            func.sum(change).label("change"),
            func.sum(func.abs(change)).label("absolute_change"),
            func.sum(columns.old_confidence).label("old_confidence"),
            func.sum(columns.new_confidence).label("new_confidence"),
        )
        .group_by(*keys)
        .subquery("groups")
    )


def _largest(scored: Subquery) -> Subquery:
    size = func.abs(scored.c.new_score - scored.c.old_score)
    query = select(scored.c.review_id, scored.c.old_score, scored.c.new_score).where(size > 0)
    return query.order_by(size.desc(), scored.c.review_id).limit(LARGEST).subquery("largest")


def _moved(rows: Sequence[Row[Any]]) -> list[Moved]:
    """Return the largest changes, which stand beside each group."""
    moved = {row.review_id: Moved(row.review_id, row.old_score, row.new_score) for row in rows if row.review_id}
    return sorted(moved.values(), key=lambda one: (-abs(one.new_score - one.old_score), one.id))
