"""One builder per thing."""

from typing import Any

from src.extensions import db
from src.models import Sentiment


def build_review(**columns: Any) -> Sentiment:
    """A review that is not stored yet."""
    return Sentiment(
        **{
            "sentence": "A fine film.",
            "sentiment_score": 0.9,
            "confidence": 0.95,
            "tokens": 4,
            "windows": 1,
            "model_version": "model@0123456789ab",
            **columns,
        }
    )


def store_review(**columns: Any) -> Sentiment:
    """A review in the database; needs an app context."""
    review = build_review(**columns)
    db.session.add(review)
    db.session.commit()
    return review
