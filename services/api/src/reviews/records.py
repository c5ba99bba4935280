"""Reviews one by one: score and store, find, replace, delete."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import delete as delete_from
from sqlalchemy import insert, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm.attributes import set_committed_value

from src.errors import KeyInProgress, ReviewNotFound
from src.extensions import analyzer, db, writes
from src.models import Correction, Sentiment
from src.reviews.idempotency import Claim, claim, keep, release


@dataclass(frozen=True, slots=True)
class NewReview:
    """A scored review, and the key to store it under."""

    columns: dict[str, Any]
    claim: Claim | None = None


def create(sentence: str) -> Sentiment:
    """Score a review and store it; returns after the commit, which it may share with others.

    The connection is taken after scoring, so that a slow review holds none.
    """
    review: Sentiment = writes.commit(NewReview(_score(sentence)), store)
    return review


def create_once(sentence: str, key: str, owner: str) -> tuple[Sentiment, bool]:
    """As `create`, but for a key that its owner stored a review under: return that one then, and that it was.

    :raises InvalidInput: the key was used with another sentence.
    :raises KeyInProgress: another request has it.
    :raises ReviewGone: the review that was stored under it was deleted.
    """
    claimed = claim(owner, key, sentence)
    if isinstance(claimed, Sentiment):
        return claimed, True
    try:
        review: Sentiment = writes.commit(NewReview(_score(sentence), claimed), store)
    except Exception:
        release(claimed)
        raise
    return review, False


def find(review_id: int) -> Sentiment:
    """Return one review.

    :raises ReviewNotFound: no review has that id.
    """
    review = db.session.get(Sentiment, review_id)
    if review is None:
        raise ReviewNotFound(review_id)
    return review


def replace(review_id: int, sentence: str) -> Sentiment:
    """Give a review another text and score that; returns after the commit.

    A correction was one of the old text, and goes with it.

    :raises ReviewNotFound: no review has that id.
    """
    scored = _score(sentence)
    review: Sentiment | None = db.session.scalar(
        update(Sentiment).where(Sentiment.id == review_id).values(scored).returning(Sentiment)
    )
    if review is None:
        raise ReviewNotFound(review_id)
    db.session.execute(delete_from(Correction).where(Correction.sentiment_id == review_id))
    set_committed_value(review, "correction", None)
    db.session.commit()
    return review


def delete(review_id: int) -> None:
    """Delete one review; returns after the commit.

    :raises ReviewNotFound: no review has that id.
    """
    deleted = db.session.scalar(delete_from(Sentiment).where(Sentiment.id == review_id).returning(Sentiment.id))
    if deleted is None:
        raise ReviewNotFound(review_id)
    db.session.commit()


def store(rows: Sequence[NewReview]) -> list[Sentiment]:
    """Store rows in one transaction; return them as reviews that belong to no session.

    :raises KeyInProgress: the claim of one was lost; none is stored.
    """
    statement = insert(Sentiment).returning(
        Sentiment.id, Sentiment.created_on, Sentiment.updated_on, sort_by_parameter_order=True
    )
    try:
        given = db.session.execute(statement, [row.columns for row in rows]).mappings().all()
        for row, columns in zip(rows, given, strict=True):
            if row.claim:
                keep(row.claim, columns["id"])
        db.session.commit()
    except (SQLAlchemyError, KeyInProgress):
        db.session.rollback()
        raise
    return [Sentiment(**row.columns, **columns) for row, columns in zip(rows, given, strict=True)]


def _score(sentence: str) -> dict[str, Any]:
    """Score a sentence; return the columns that say what a model made of it."""
    [score] = analyzer.analyze([sentence])
    return {"sentence": sentence, "model_version": analyzer.version, **asdict(score)}
