"""References: a review that a client stores under its own id is stored once, and found by it.

A reference is looked up before scoring, and stored in the transaction that stores its review. Of two reviews with the
same reference in transactions at the same time, the second is deleted again before its commit.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import cast

from sqlalchemy import BigInteger, Table, Text, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from src.errors import ReferenceTaken
from src.models import Reference, Sentiment
from src.reviews.arrays import as_rows, values_of
from src.reviews.submissions import OwnReference, Submission

_given = as_rows(owner=Text, reference=Text)
_FIND = (
    select(Reference.owner, Reference.reference, Sentiment)
    .join(_given, (Reference.owner == _given.c.owner) & (Reference.reference == _given.c.reference))
    .join(Sentiment, Sentiment.id == Reference.review_id)
)
_new = as_rows(owner=Text, reference=Text, review_id=BigInteger)
_STORE = (
    insert(cast(Table, Reference.__table__))  # not of the class: the ORM would take the parameters for rows
    .from_select(["owner", "reference", "review_id"], select(_new))
    .on_conflict_do_nothing(index_elements=[Reference.reference, Reference.owner])
    .returning(Reference.review_id)
)


def referenced(session: Session, submissions: Collection[Submission]) -> dict[OwnReference, Sentiment]:
    """Return the reviews that are stored under the references of `submissions`, as objects of no session.

    It ends the transaction, so that no connection is held while others are scored. Without references there is no
    query.
    """
    wanted = {own for submission in submissions if (own := submission.own_reference)}
    if not wanted:
        return {}
    owners, references = zip(*wanted, strict=True)
    rows = session.execute(_FIND, values_of(owner=owners, reference=references)).all()
    session.expunge_all()
    session.rollback()
    return {(row.owner, row.reference): row.Sentiment for row in rows}


def known(submission: Submission, stored: Mapping[OwnReference, Sentiment]) -> Sentiment | None:
    """Return the review that is stored under the reference of `submission`; None if there is none.

    :raises ReferenceTaken: its sentence is another one.
    """
    review = stored.get(submission.own_reference) if submission.own_reference else None
    if review and review.sentence != submission.sentence:
        raise ReferenceTaken(review.id)
    return review


def store_references(session: Session, reviews: Sequence[tuple[OwnReference, int]]) -> set[int]:
    """Store the references of new reviews, without a commit; return the ids of those whose reference is taken.

    It waits for other transactions that store the same references. They are stored in order, so that no two
    transactions wait for each other.

    :param reviews: owner and reference, and the id of the review.
    """
    ordered = sorted(reviews)
    values = values_of(
        owner=(owner for (owner, _), _ in ordered),
        reference=(reference for (_, reference), _ in ordered),
        review_id=(review_id for _, review_id in ordered),
    )
    return {review_id for _, review_id in reviews} - set(session.scalars(_STORE, values))
