"""Posting twice: the same key of one owner stores one review, however often and wherever it is sent.

The Idempotency-Key header of the IETF's draft, https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header.
A key is claimed in a transaction of its own before the review is scored, and given its review in the transaction that
stores it: who lost the claim meanwhile, because it took too long, stores nothing.
"""

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, delete, func, update
from sqlalchemy.dialects.postgresql import insert

from src.errors import InvalidInput, KeyInProgress, ReviewGone
from src.extensions import db
from src.models import IdempotencyKey, Sentiment

LEASE = timedelta(seconds=60)
"""A request that took longer has lost its claim: its process is gone, or its database was away."""


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to store a review under a key."""

    owner: str
    key: str
    token: UUID


def claim(owner: str, key: str, sentence: str) -> Claim | Sentiment:
    """Claim an owner's key; return the review that was stored under it if there is one.

    :raises InvalidInput: the key was used with another sentence.
    :raises KeyInProgress: another request has it.
    :raises ReviewGone: the review was deleted.
    """
    fingerprint, token = hashlib.sha256(sentence.encode()).hexdigest(), uuid4()
    given = insert(IdempotencyKey).values(owner=owner, key=key, fingerprint=fingerprint, claim=token)
    late = IdempotencyKey.claimed_on < func.now() - LEASE
    statement = given.on_conflict_do_update(
        index_elements=[IdempotencyKey.owner, IdempotencyKey.key],
        set_={"claim": token, "claimed_on": func.now()},
        where=IdempotencyKey.review_id.is_(None) & late & (IdempotencyKey.fingerprint == fingerprint),
    ).returning(IdempotencyKey.claim)
    claimed = db.session.scalar(statement)
    db.session.commit()
    return _stored(owner, key, fingerprint) if claimed is None else Claim(owner, key, token)


def _stored(owner: str, key: str, fingerprint: str) -> Sentiment:
    found = db.session.get(IdempotencyKey, (owner, key))
    if found is None:  # released, or cleaned up, this very moment
        raise KeyInProgress
    if found.fingerprint != fingerprint:
        raise InvalidInput([{"pointer": "/Idempotency-Key", "detail": "Was used with another sentence."}])
    if found.review_id is None:
        raise KeyInProgress
    review = db.session.get(Sentiment, found.review_id)
    if review is None:
        raise ReviewGone
    return review


def keep(claimed: Claim, review_id: int) -> None:
    """Give a key its review, in the transaction that stores it.

    :raises KeyInProgress: the claim was lost.
    """
    statement = update(IdempotencyKey).where(*_is(claimed)).values(review_id=review_id).returning(IdempotencyKey.key)
    if db.session.scalar(statement) is None:
        raise KeyInProgress


def release(claimed: Claim) -> None:
    """Forget a claim of which nothing came: a failure is not remembered."""
    db.session.rollback()
    db.session.execute(delete(IdempotencyKey).where(*_is(claimed), IdempotencyKey.review_id.is_(None)))
    db.session.commit()


def _is(claimed: Claim) -> tuple[ColumnElement[bool], ...]:
    """Return what is true of the row that the claim is for, unless it was lost."""
    return (
        IdempotencyKey.owner == claimed.owner,
        IdempotencyKey.key == claimed.key,
        IdempotencyKey.claim == claimed.token,
    )


def forget(age: timedelta) -> int:
    """Delete keys that are older; return how many."""
    old = IdempotencyKey.claimed_on < func.now() - age
    deleted = db.session.scalars(delete(IdempotencyKey).where(old).returning(IdempotencyKey.key)).all()
    db.session.commit()
    return len(deleted)
