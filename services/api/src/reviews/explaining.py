"""Why a review has its score."""

from src.extensions import analyzer, db
from src.reviews.records import find
from src.sentiment_analyzer.evidence import Evidence
from src.sentiment_analyzer.evidence import explain as explain_text


def explain(review_id: int) -> Evidence:
    """Return what each word or sentence of a review adds to the score that the present model gives it.

    No connection is held meanwhile: scoring may take seconds.

    :raises ReviewNotFound: no review has that id.
    """
    sentence = find(review_id).sentence
    db.session.rollback()
    return explain_text(analyzer, sentence)
