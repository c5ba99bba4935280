"""What the model makes of one review."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Score:
    """How positive a review is, how sure the model is of it, and how much of it was read."""

    sentiment_score: float
    """P(positive) - P(negative), calibrated, in [-1, 1]."""
    confidence: float
    """The larger of the two probabilities, in [0.5, 1]."""
    tokens: int
    """WordPiece tokens in the review, without the special ones; all of them were read."""
    windows: int
    """Overlapping windows in which they were read; 1 for all but long reviews."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The same before calibration."""

    margin: float
    """logit(positive) - logit(negative), the mean over the windows."""
    tokens: int
    windows: int
