"""Builders of stored reviews, corrections and scores."""

from typing import Any

from sqlalchemy import insert, update

from src.extensions import db
from src.models import Correction, Sentiment

COLUMNS = {
    "sentence": "A fine film.",
    "sentiment_score": 0.9,
    "confidence": 0.95,
    "tokens": 4,
    "windows": 1,
    "model_version": "model@0123456789ab",
}


def build_review(**columns: Any) -> Sentiment:
    """Return a review that is not stored yet."""
    return Sentiment(**{**COLUMNS, **columns})


def store_review(**columns: Any) -> Sentiment:
    """Store a review; needs an app context."""
    review = build_review(**columns)
    db.session.add(review)
    db.session.commit()
    return review


def store_reviews(number: int) -> None:
    """Store that many reviews in one statement."""
    db.session.execute(insert(Sentiment), [{**COLUMNS, "sentence": f"Film {one}."} for one in range(number)])
    db.session.commit()


def store_correction(review_id: int, sentiment: str) -> None:
    """Store a correction."""
    db.session.add(Correction(sentiment_id=review_id, sentiment=sentiment))
    db.session.commit()


def rescore_review(review_id: int, score: float, **columns: Any) -> None:
    """Score a review again: with `model_version` by another model, with `sentence` for another text."""
    changed = {"sentiment_score": score, "confidence": (1 + abs(score)) / 2, **columns}
    db.session.execute(update(Sentiment).where(Sentiment.id == review_id).values(changed))
    db.session.commit()
