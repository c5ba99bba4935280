"""Builders of stored reviews, corrections, scores and slots."""

import contextlib
from collections.abc import Iterator
from typing import Any

from flask import Flask
from sqlalchemy import insert, update

from src.extensions import db
from src.models import Correction, Reference, Sentiment
from src.reviews.movies import name_movie, stored_movies
from src.reviews.slots import Kind, slot

COLUMNS = {
    "sentence": "A fine film.",
    "sentiment_score": 0.9,
    "confidence": 0.95,
    "tokens": 4,
    "windows": 1,
    "model_version": "model@0123456789ab",
}


def build_review(**columns: Any) -> Sentiment:
    """Return a review that is not stored yet; with `p_neutral`, its confidence follows from that and the score."""
    columns = {{"metadata": "metadata_"}.get(name, name): value for name, value in columns.items()}
    if (p_neutral := columns.get("p_neutral")) is not None and "confidence" not in columns:
        columns["confidence"] = confidence_of(columns["sentiment_score"], p_neutral)
    return Sentiment(**{**COLUMNS, **columns})


def confidence_of(score: float, p_neutral: float | None = None) -> float:
    """Return the probability of the likeliest sentiment, of two or of three."""
    return max(p_neutral or 0.0, (1 - (p_neutral or 0.0) + abs(score)) / 2)


def store_review(
    movie: str | None = None, key: str = "", reference: str | None = None, owner: str = "", **columns: Any
) -> Sentiment:
    """Store a review, and its film and reference if it has them; needs an app context."""
    session = db.session()
    name = movie and name_movie(movie, key)
    movie_id = stored_movies(session, [name])[name.identity].id if name else None
    review = build_review(**columns, movie_id=movie_id)
    session.add(review)
    session.flush()
    if reference is not None:
        session.add(Reference(owner=owner, reference=reference, review_id=review.id))
    session.commit()
    return review


def store_reviews(number: int) -> None:
    """Store that many reviews in one statement."""
    db.session.execute(insert(Sentiment), [{**COLUMNS, "sentence": f"Film {one}."} for one in range(number)])
    db.session.commit()


def store_correction(review_id: int, sentiment: str) -> None:
    """Store a correction."""
    db.session.add(Correction(sentiment_id=review_id, sentiment=sentiment))
    db.session.commit()


def rescore_review(review_id: int, score: float, p_neutral: float | None = None, **columns: Any) -> None:
    """Score a review again: with `model_version` by another model, with `sentence` for another text."""
    scored = {"sentiment_score": score, "p_neutral": p_neutral, "confidence": confidence_of(score, p_neutral)}
    changed = {**scored, **columns}
    db.session.execute(update(Sentiment).where(Sentiment.id == review_id).values(changed))
    db.session.commit()


@contextlib.contextmanager
def all_taken(app: Flask, kind: Kind) -> Iterator[None]:
    """Hold every slot of a kind."""
    with app.app_context():
        engine = db.engine
    with contextlib.ExitStack() as held:
        for _ in range(kind.count):
            held.enter_context(slot(engine, kind))
        yield
