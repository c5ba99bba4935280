"""The tables: constraints and triggers, and the sentiment of a row in Python and in SQL."""

import itertools
import math

import pytest
from sqlalchemy import Double, Integer, cast, column, select, text, values
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from src.models import EarlierScore, Sentiment, p_negative, p_positive, sentiment_in_sql, with_sentiment
from src.sentiment_analyzer.score import sentiment_of
from test.builders import build_review, store_correction, store_review


@pytest.mark.parametrize(
    ("column", "value", "constraint"),
    [
        ("sentiment_score", 1.0000001, "sentiment_score_range"),
        ("sentiment_score", -1.1, "sentiment_score_range"),
        ("sentiment_score", math.nan, "sentiment_score_range"),
        ("confidence", 0.49, "confidence_of_likeliest"),
        ("confidence", 1.1, "confidence_of_likeliest"),
        ("confidence", math.nan, "confidence_of_likeliest"),
        ("tokens", -1, "tokens_not_negative"),
        ("windows", 0, "windows_positive"),
    ],
)
def test_a_value_out_of_range_is_refused(session: Session, column: str, value: float, constraint: str) -> None:
    session.add(build_review(**{column: value}))
    with pytest.raises(IntegrityError, match=f"ck_sentiments_{constraint}"):
        session.commit()
    session.rollback()


@pytest.mark.parametrize(
    ("columns", "constraint"),
    [
        ({"sentiment_score": 0.0, "p_neutral": -0.1}, "p_neutral_range"),
        ({"sentiment_score": 0.0, "p_neutral": 1.1, "confidence": 1}, "p_neutral_range"),
        ({"sentiment_score": 0.0, "p_neutral": math.nan, "confidence": 1}, "p_neutral_range"),
        ({"sentiment_score": 0.51, "p_neutral": 0.5}, "score_within_rest"),
        ({"sentiment_score": -0.50001, "p_neutral": 0.5}, "score_within_rest"),
        ({"sentiment_score": 0.0, "p_neutral": 0.3, "confidence": 0.33}, "confidence_of_likeliest"),
        ({"warnings": ["not_english", "sarcastic"]}, "warnings_known"),
        ({"warnings": [None]}, "warnings_known"),
    ],
)
def test_invalid_probabilities_are_refused(session: Session, columns: dict[str, float], constraint: str) -> None:
    session.add(build_review(**columns))
    with pytest.raises(IntegrityError, match=f"ck_sentiments_{constraint}"):
        session.commit()
    session.rollback()


def test_a_correction_says_one_of_three(session: Session) -> None:
    review = store_review()
    with pytest.raises(IntegrityError, match="ck_corrections_sentiment_known_of_three"):
        store_correction(review.id, "mixed")
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
    "change",
    ["sentence = 'other'", "sentiment_score = 0", "p_neutral = 0", "confidence = 0.5", "model_version = 'x@1'"],
)
def test_updated_on_moves_with_the_text_the_score_and_the_model(session: Session, change: str) -> None:
    review = store_review()
    session.execute(text(f"UPDATE sentiments SET {change} WHERE id = :id"), {"id": review.id})
    session.refresh(review)
    assert review.updated_on > review.created_on


@pytest.mark.parametrize(
    "change", ["sentence = sentence", "tokens = tokens + 1", "sentiment_score = sentiment_score", "warnings = '{}'"]
)
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


@pytest.mark.parametrize(
    ("score", "p_neutral", "sentiment"),
    [
        (0.5, None, "positive"),
        (0.0, None, "positive"),
        (-0.0, None, "positive"),
        (-1e-9, None, "negative"),
        (0.0, 0.34, "neutral"),
        (0.0, 1 / 3, "positive"),
        (-0.5, 0.5, "negative"),
        (-0.499, 0.5, "neutral"),
        (0.5, 0.5, "positive"),
    ],
)
def test_the_sentiment_is_the_likeliest_and_of_equals_a_side(
    score: float, p_neutral: float | None, sentiment: str
) -> None:
    assert Sentiment(sentiment_score=score, p_neutral=p_neutral).sentiment == sentiment
    assert EarlierScore(sentiment_score=score, p_neutral=p_neutral).sentiment == sentiment


GRID = [
    (sign * share * (1 - p), p)
    for sign, share, p in itertools.product(
        (-1, 1), (0.0, 1e-300, 0.1, 1 / 3, 0.5, 2 / 3, 1.0), (i / 60 for i in range(61))
    )
]
TIES = [(score, (1 + abs(score)) / 3) for score in (-0.5, -0.25, -1e-17, 0.0, 1e-17, 0.1, 0.3, 0.5)]
BESIDE_TIES = [(score, math.nextafter(p, to)) for score, p in TIES for to in (0.0, 1.0)]
TWO_LABELS = [(score / 10, None) for score in range(-10, 11)]
CASES = [*GRID, *TIES, *BESIDE_TIES, *TWO_LABELS, (-0.0, None), (-0.0, 0.1)]


def test_sql_says_the_same_as_python_of_every_score(session: Session) -> None:
    table = values(column("n", Integer), column("score", Double), column("p", Double), name="scores")
    table = table.data([(number, *case) for number, case in enumerate(CASES)])
    scores = cast(table.c.score, Double), cast(table.c.p, Double)  # else they are of type numeric
    query = select(sentiment_in_sql(*scores), p_negative(*scores), p_positive(*scores)).order_by(table.c.n)
    found = session.execute(query).all()
    reviews = [Sentiment(sentiment_score=score, p_neutral=p) for score, p in CASES]
    assert [row[0] for row in found] == [sentiment_of(*case) for case in CASES]
    assert {row[0] for row in found} == {"negative", "neutral", "positive"}
    for review, (_, negative, positive) in zip(reviews, found, strict=True):
        assert review.probabilities == {"negative": negative, "neutral": review.p_neutral, "positive": positive}
        known = {name: p for name, p in review.probabilities.items() if p is not None}
        assert sum(known.values()) == pytest.approx(1)
        assert min(known.values()) >= 0
        assert known[review.sentiment] == pytest.approx(max(known.values()))


def test_the_conditions_of_the_filters_say_the_same(session: Session) -> None:
    for score, p_neutral in CASES[::7] + TIES + BESIDE_TIES + TWO_LABELS:
        session.add(build_review(sentiment_score=score, p_neutral=p_neutral, confidence=1))
    session.commit()
    for sentiment, condition in with_sentiment.items():
        found = session.scalars(select(Sentiment).where(condition)).all()
        expected = [one for one in session.scalars(select(Sentiment)) if one.sentiment == sentiment]
        assert {one.id for one in found} == {one.id for one in expected} != set()


@pytest.mark.parametrize("warnings", [None, (), ("not_english",), ("not_english", "unreadable")])
def test_warnings_are_stored_as_given(session: Session, warnings: tuple[str, ...] | None) -> None:
    review = store_review(warnings=warnings)
    session.expire(review)
    assert review.warnings == warnings
