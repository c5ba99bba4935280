"""The result of one review, before and after calibration."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from src.sentiment_analyzer.windows import pool


@dataclass(frozen=True, slots=True)
class Score:
    """The sentiment of a review, the confidence in it, and the amount of text that was read."""

    sentiment_score: float
    """P(positive) - P(negative), calibrated, in [-1, 1]."""
    confidence: float
    """The larger of P(positive) and P(negative), in [0.5, 1]."""
    tokens: int
    """The number of WordPiece tokens of the cleaned and blinded text, without special tokens. All of them were read."""
    windows: int
    """The number of overlapping windows in which they were read; more than 1 for long reviews only."""


@dataclass(frozen=True, slots=True)
class Tokenized:
    """A review as windows of token ids."""

    windows: list[Sequence[int]]
    """Token ids without special tokens. There is at least one window, which may be empty."""
    tokens: int
    """The number of tokens of the review; tokens that two windows share count once."""


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """The uncalibrated result of a review.

    A margin is logit(positive) - logit(negative): the log-odds of "positive".
    """

    margins: NDArray[np.float64]
    """The margin of each window, float64 [windows]."""
    tokens: int

    @property
    def margin(self) -> float:
        """The margin of the review: the pooled margins of its windows."""
        return pool(self.margins)

    @property
    def windows(self) -> int:
        """The number of windows."""
        return len(self.margins)
