"""Corrections: the sentiment that a person gives a review. They never change the score of the model."""

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from src.errors import NoCorrection, ReviewNotFound
from src.models import Correction, Sentiment


def correct(session: Session, review_id: int, sentiment: str) -> Sentiment:
    """Store a correction of a review, in place of an earlier one, and commit.

    The review is locked first. Otherwise a correction could outlive the text that it is about. Everything that changes
    a review locks it; in `withdraw` the trigger `corrections_lock` does.

    :param sentiment: "positive", "neutral" or "negative"; it may be the same as the model's.
    :raises ReviewNotFound: no review has that id.
    """
    review = session.scalar(select(Sentiment).where(Sentiment.id == review_id).with_for_update(of=Sentiment))
    if review is None:
        raise ReviewNotFound(review_id)
    given = insert(Correction).values(sentiment_id=review_id, sentiment=sentiment)
    statement = given.on_conflict_do_update(
        index_elements=[Correction.sentiment_id], set_={"sentiment": sentiment, "created_on": func.now()}
    ).returning(Correction)
    correction = session.scalar(statement, execution_options={"populate_existing": True})
    set_committed_value(review, "correction", correction)
    session.commit()
    return review


def withdraw(session: Session, review_id: int) -> None:
    """Delete the correction of a review and commit.

    :raises NoCorrection: the review has none, or does not exist.
    """
    statement = delete(Correction).where(Correction.sentiment_id == review_id).returning(Correction.sentiment_id)
    if session.scalar(statement) is None:
        raise NoCorrection(review_id)
    session.commit()
