"""The sentiment that follows from a score."""

import itertools

import pytest

from src.sentiment_analyzer.score import Score, confidence_of, sentiment_of


def test_the_sentiment_is_the_likeliest_of_three() -> None:
    sides = ("positive", "neutral", "negative")
    for eighths in itertools.product(range(9), repeat=3):
        if sum(eighths) != 8 or eighths.count(max(eighths)) > 1:
            continue
        positive, neutral, negative = (part / 8 for part in eighths)
        assert sentiment_of(positive - negative, neutral) == sides[eighths.index(max(eighths))]
        assert confidence_of(positive - negative, neutral) == max(eighths) / 8


@pytest.mark.parametrize(
    ("score", "p_neutral", "sentiment"),
    [
        (0.25, 0.5, "neutral"),
        (0.125, 0.375, "positive"),  # 6/16 neutral, 6/16 positive
        (-0.125, 0.375, "negative"),
        (0.0, 0.25, "positive"),  # 3/8 positive, 3/8 negative
        (0.0, 1.0, "neutral"),
    ],
)
def test_a_tie_goes_to_a_side_and_among_sides_to_positive(score: float, p_neutral: float, sentiment: str) -> None:
    assert sentiment_of(score, p_neutral) == sentiment


@pytest.mark.parametrize(("score", "sentiment"), [(0.0, "positive"), (1e-300, "positive"), (-1e-300, "negative")])
def test_of_two_labels_the_sign_decides(score: float, sentiment: str) -> None:
    assert sentiment_of(score, None) == sentiment
    assert confidence_of(score, None) == 0.5
    assert Score(sentiment_score=score, confidence=0.5, tokens=1, windows=1).sentiment == sentiment
