"""The evidence for a review's score."""

from sqlalchemy.orm import Session

from src.reviews.records import find
from src.reviews.slots import EXPLANATIONS, slot
from src.sentiment_analyzer import Analyzer
from src.sentiment_analyzer.evidence import Evidence
from src.sentiment_analyzer.evidence import explain as explain_text


def explain(session: Session, analyzer: Analyzer, review_id: int) -> Evidence:
    """Return how much each word or sentence of a review moves the score that the loaded model gives it.

    Scoring may take seconds, so the connection is given back before it begins.

    :raises ReviewNotFound: no review has that id.
    :raises Crowded: too many reviews are being explained.
    """
    sentence = find(session, review_id).sentence
    session.rollback()
    with slot(session.get_bind(), EXPLANATIONS):
        return explain_text(analyzer, sentence)
