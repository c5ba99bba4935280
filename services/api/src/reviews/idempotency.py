"""Idempotency keys: a request that is sent again with the same key stores its review once.

They follow the IETF's draft, https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header.

A key is claimed in a transaction of its own, before the review is scored. The transaction that stores the review also
gives the key its review. A request that took longer than the lease may have lost its claim to another one by then; it
stores nothing.
"""

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, delete, func, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from src.errors import InvalidInput, KeyInProgress, ReviewGone
from src.models import IdempotencyKey, Sentiment

LEASE = timedelta(seconds=60)
"""The age at which a claim expires and another request may claim the key. The process that held the claim has ended by
then, or has lost the database."""


@dataclass(frozen=True, slots=True)
class ClientKey:
    """An Idempotency-Key and the client that sent it."""

    owner: str
    """The name of the client's API key; empty if the service needs none."""
    key: str


@dataclass(frozen=True, slots=True)
class Claim:
    """The right of one request to store a review under a key."""

    key: ClientKey
    token: UUID


def claim(session: Session, key: ClientKey, sentence: str) -> Claim | Sentiment:
    """Claim a key and commit; return the review instead if one is stored under the key.

    :raises InvalidInput: the key was used with another sentence.
    :raises KeyInProgress: another request with this key is in progress.
    :raises ReviewGone: the review that was stored under the key was deleted.
    """
    fingerprint, token = hashlib.sha256(sentence.encode()).hexdigest(), uuid4()
    new = insert(IdempotencyKey).values(owner=key.owner, key=key.key, fingerprint=fingerprint, claim=token)
    expired = IdempotencyKey.claimed_on < func.now() - LEASE
    statement = new.on_conflict_do_update(
        index_elements=[IdempotencyKey.owner, IdempotencyKey.key],
        set_={"claim": token, "claimed_on": func.now()},
        where=IdempotencyKey.review_id.is_(None) & expired & (IdempotencyKey.fingerprint == fingerprint),
    ).returning(IdempotencyKey.claim)
    claimed = session.scalar(statement)
    session.commit()
    return _stored(session, key, fingerprint) if claimed is None else Claim(key, token)


def _stored(session: Session, key: ClientKey, fingerprint: str) -> Sentiment:
    """Return the review that is stored under a key; see `claim` for what is raised."""
    found = session.get(IdempotencyKey, (key.owner, key.key))
    if found is None:  # another request released it, or `forget_keys` deleted it, since the claim failed
        raise KeyInProgress
    if found.fingerprint != fingerprint:
        raise InvalidInput(
            [{"pointer": "/Idempotency-Key", "detail": "Was used with another sentence. Use a new one."}]
        )
    if found.review_id is None:
        raise KeyInProgress
    review = session.get(Sentiment, found.review_id)
    if review is None:
        raise ReviewGone
    return review


def assign_review(session: Session, claimed: Claim, review_id: int) -> None:
    """Give a key its review, without a commit: the transaction that stores the review does it.

    :raises KeyInProgress: the claim was lost.
    """
    statement = update(IdempotencyKey).where(*_is(claimed)).values(review_id=review_id).returning(IdempotencyKey.key)
    if session.scalar(statement) is None:
        raise KeyInProgress


def release(session: Session, claimed: Claim) -> None:
    """Give up a claim and commit, so that the client can try again after a failure."""
    session.rollback()
    session.execute(delete(IdempotencyKey).where(*_is(claimed), IdempotencyKey.review_id.is_(None)))
    session.commit()


def _is(claimed: Claim) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions that match the row of a claim; they match none if the claim was lost."""
    return (
        IdempotencyKey.owner == claimed.key.owner,
        IdempotencyKey.key == claimed.key.key,
        IdempotencyKey.claim == claimed.token,
    )


def forget_keys(session: Session, age: timedelta) -> int:
    """Delete the keys that are older than `age` and commit; return how many there were."""
    old = IdempotencyKey.claimed_on < func.now() - age
    deleted = session.scalars(delete(IdempotencyKey).where(old).returning(IdempotencyKey.key)).all()
    session.commit()
    return len(deleted)
