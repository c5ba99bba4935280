"""What the model makes of one review."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from src.sentiment_analyzer.windows import pool


@dataclass(frozen=True, slots=True)
class Score:
    """How positive a review is, how sure the model is of it, and how much of it was read."""

    sentiment_score: float
    """P(positive) - P(negative), calibrated, in [-1, 1]."""
    confidence: float
    """The larger of the two probabilities, in [0.5, 1]."""
    tokens: int
    """WordPiece tokens of the review as it was read (`blindness`), without the special ones; all of them were read."""
    windows: int
    """Overlapping windows in which they were read; 1 for all but long reviews."""


@dataclass(frozen=True, slots=True)
class Tokenized:
    """A review as the model reads it."""

    windows: list[Sequence[int]]
    """Token ids without the special ones; at least one window, which may be empty."""
    tokens: int
    """In all, those that windows share counted once."""


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """The same before calibration."""

    margins: NDArray[np.float64]
    """logit(positive) - logit(negative) of each window, float64 [windows]."""
    tokens: int

    @property
    def margin(self) -> float:
        """The margins in one."""
        return pool(self.margins)

    @property
    def windows(self) -> int:
        """In how many windows the tokens were read."""
        return len(self.margins)
