"""What people say of a review, kept beside what the model said and never over it."""

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm.attributes import set_committed_value

from src.errors import NoCorrection, ReviewNotFound
from src.extensions import db
from src.models import Correction, Sentiment


def correct(review_id: int, sentiment: str) -> Sentiment:
    """Keep what a person says of a review, in place of what a person said before; returns after the commit.

    The review is locked first, as whoever changes it does, so that each sees the other.

    :param sentiment: "positive" or "negative"; it may be what the model says too.
    :raises ReviewNotFound: no review has that id.
    """
    review = db.session.scalar(select(Sentiment).where(Sentiment.id == review_id).with_for_update(of=Sentiment))
    if review is None:
        raise ReviewNotFound(review_id)
    given = insert(Correction).values(sentiment_id=review_id, sentiment=sentiment)
    statement = given.on_conflict_do_update(
        index_elements=[Correction.sentiment_id], set_={"sentiment": sentiment, "created_on": func.now()}
    ).returning(Correction)
    correction = db.session.scalar(statement, execution_options={"populate_existing": True})
    set_committed_value(review, "correction", correction)
    db.session.commit()
    return review


def withdraw(review_id: int) -> None:
    """Take a correction back; returns after the commit.

    :raises NoCorrection: there is none, or no such review.
    """
    statement = delete(Correction).where(Correction.sentiment_id == review_id).returning(Correction.sentiment_id)
    if db.session.scalar(statement) is None:
        raise NoCorrection(review_id)
    db.session.commit()
