"""Why a review has its score."""

import threading

from src.extensions import analyzer, db
from src.reviews.records import find
from src.sentiment_analyzer.errors import QueueFull
from src.sentiment_analyzer.evidence import Evidence
from src.sentiment_analyzer.evidence import explain as explain_text

AT_ONCE = 4
"""Explaining a long review takes as much as scoring thousands: so few at once, that reviews find room in the queue."""
TURN_SECONDS = 5.0
"""The longest wait for a turn."""
_turns = threading.BoundedSemaphore(AT_ONCE)


def explain(review_id: int) -> Evidence:
    """Return what each word or sentence of a review adds to the score that the present model gives it.

    No connection is held meanwhile: scoring may take seconds.

    :raises ReviewNotFound: no review has that id.
    :raises QueueFull: too many are being explained.
    """
    sentence = find(review_id).sentence
    db.session.rollback()
    if not _turns.acquire(timeout=TURN_SECONDS):
        raise QueueFull
    try:
        return explain_text(analyzer, sentence)
    finally:
        _turns.release()
