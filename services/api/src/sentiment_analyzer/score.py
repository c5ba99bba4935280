"""The result of one review, before and after calibration."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from src.sentiment_analyzer.windows import pool

Sentiment: TypeAlias = Literal["negative", "neutral", "positive"]


def sentiment_of(score: float, p_neutral: float | None) -> Sentiment:
    """Return the likeliest sentiment of P(positive) - P(negative) and P(neutral).

    P(positive) is (1 - p_neutral + score) / 2 and P(negative) is (1 - p_neutral - score) / 2. In a tie, a side goes
    before neutral, and positive before negative. `src.models` has the same rule in SQL.

    :param p_neutral: None for a model with two labels, whose answers are never neutral.

    >>> sentiment_of(0.1, p_neutral=0.4), sentiment_of(0.1, p_neutral=0.3), sentiment_of(-0.1, p_neutral=None)
    ('neutral', 'positive', 'negative')
    """
    if p_neutral is not None and 3 * p_neutral > 1 + abs(score):
        return "neutral"
    return "positive" if score >= 0 else "negative"


def confidence_of(score: float, p_neutral: float | None) -> float:
    """Return the probability of the likeliest sentiment.

    >>> confidence_of(0.25, p_neutral=0.25), confidence_of(0.25, p_neutral=0.75), confidence_of(-0.5, p_neutral=None)
    (0.5, 0.75, 0.75)
    """
    neutral = p_neutral or 0.0
    return max(neutral, (1 - neutral + abs(score)) / 2)


def probabilities_of(score: float, p_neutral: float | None) -> dict[str, float | None]:
    """Return the probability of each sentiment; that of neutral is None if the model has two labels.

    >>> probabilities_of(0.25, p_neutral=0.25)
    {'negative': 0.25, 'neutral': 0.25, 'positive': 0.5}
    """
    rest = 1 - (p_neutral or 0.0)
    return {
        "negative": max(0.0, (rest - score) / 2),  # rounding may take it below zero
        "neutral": p_neutral,
        "positive": max(0.0, (rest + score) / 2),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """The sentiment of a review, the confidence in it, and the amount of text that was read."""

    sentiment_score: float
    """P(positive) - P(negative), calibrated, in [-1, 1]."""
    confidence: float
    """The probability of the likeliest sentiment: in [1/3, 1], with two labels in [1/2, 1]."""
    p_neutral: float | None = None
    """P(neutral), calibrated, in [0, 1]; None for a model with two labels."""
    warnings: tuple[str, ...] = ()
    """Reasons to doubt the answer: `not_english`, `unreadable`."""
    tokens: int
    """The number of WordPiece tokens of the text as it was read, without special tokens. All of them were read."""
    windows: int
    """The number of overlapping windows in which they were read; more than 1 for long reviews only."""

    @property
    def sentiment(self) -> Sentiment:
        """The likeliest sentiment."""
        return sentiment_of(self.sentiment_score, self.p_neutral)


@dataclass(frozen=True, slots=True)
class Tokenized:
    """A review as windows of token ids."""

    windows: list[Sequence[int]]
    """Token ids without special tokens. There is at least one window, which may be empty."""
    tokens: int
    """The number of tokens of the review; tokens that two windows share count once."""
    warnings: tuple[str, ...] = ()
    """See `Score.warnings`."""


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """The uncalibrated result of a review."""

    window_logits: NDArray[np.float64]
    """The logits of each window, float64 [windows, labels]: negative, neutral if there is one, positive."""
    tokens: int
    warnings: tuple[str, ...] = ()
    """See `Score.warnings`."""

    @property
    def logits(self) -> NDArray[np.float64]:
        """The logits of the review: the pooled logits of its windows, float64 [labels]."""
        return pool(self.window_logits)

    @property
    def windows(self) -> int:
        """The number of windows."""
        return len(self.window_logits)
