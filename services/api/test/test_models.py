"""The constraints and triggers of the table."""

import math

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from test.builders import build_review, store_review


@pytest.mark.parametrize(
    ("column", "value", "constraint"),
    [
        ("sentiment_score", 1.0000001, "sentiment_score_range"),
        ("sentiment_score", -1.1, "sentiment_score_range"),
        ("sentiment_score", math.nan, "sentiment_score_range"),
        ("confidence", 0.49, "confidence_range"),
        ("confidence", 1.1, "confidence_range"),
        ("confidence", math.nan, "confidence_range"),
        ("tokens", -1, "tokens_not_negative"),
        ("windows", 0, "windows_positive"),
    ],
)
def test_a_value_out_of_range_is_refused(session: Session, column: str, value: float, constraint: str) -> None:
    session.add(build_review(**{column: value}))
    with pytest.raises(IntegrityError, match=f"ck_sentiments_{constraint}"):
        session.commit()
    session.rollback()


@pytest.mark.parametrize("column", ["sentence", "sentiment_score", "confidence", "tokens", "windows", "model_version"])
def test_no_column_may_be_left_out(session: Session, column: str) -> None:
    session.add(build_review(**{column: None}))
    with pytest.raises(IntegrityError, match=column):
        session.commit()
    session.rollback()


@pytest.mark.parametrize("value", [1.0, -1.0, 0.1 + 0.2, 5e-324, -0.0])
def test_a_score_is_stored_as_computed(session: Session, value: float) -> None:
    review = store_review(sentiment_score=value)
    session.expire(review)
    assert review.sentiment_score == value


@pytest.mark.parametrize(
    "change", ["sentence = 'other'", "sentiment_score = 0", "confidence = 0.5", "model_version = 'x@1'"]
)
def test_updated_on_moves_with_the_text_the_score_and_the_model(session: Session, change: str) -> None:
    review = store_review()
    session.execute(text(f"UPDATE sentiments SET {change} WHERE id = :id"), {"id": review.id})
    session.refresh(review)
    assert review.updated_on > review.created_on


@pytest.mark.parametrize("change", ["sentence = sentence", "tokens = tokens + 1", "sentiment_score = sentiment_score"])
def test_updated_on_stays_where_none_of_them_changes(session: Session, change: str) -> None:
    review = store_review()
    before = review.updated_on
    session.execute(text(f"UPDATE sentiments SET {change} WHERE id = :id"), {"id": review.id})
    session.refresh(review)
    assert review.updated_on == before


def test_only_the_database_assigns_ids(session: Session) -> None:
    with pytest.raises(Exception, match="cannot insert a non-DEFAULT"):
        session.execute(
            text(
                "INSERT INTO sentiments (id, sentence, sentiment_score, confidence, tokens, windows, model_version)"
                " VALUES (1, 'x', 0, 0.5, 1, 1, 'x@1')"
            )
        )
    session.rollback()


@pytest.mark.parametrize(("score", "sentiment"), [(0.5, "positive"), (0.0, "positive"), (-1e-9, "negative")])
def test_the_sentiment_is_the_sign_of_the_score(score: float, sentiment: str) -> None:
    assert build_review(sentiment_score=score).sentiment == sentiment
