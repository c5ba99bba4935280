"""Text in, score out. Knows neither Flask nor SQLAlchemy.

Importing the package is cheap; PyTorch comes with `sentiment_analysis.SentimentAnalyzer`.
"""

from collections.abc import Sequence
from typing import Protocol

from src.sentiment_analyzer.errors import ModelError
from src.sentiment_analyzer.score import Score

__all__ = ["Analyzer", "ModelError", "Score"]


class Analyzer(Protocol):
    """What the service needs of a model: `SentimentAnalyzer` is one."""

    version: str
    """Name and fingerprint of everything that decides a score."""
    calibrated: bool
    """Whether a temperature was fitted for it."""

    def analyze(self, texts: Sequence[str]) -> list[Score]:
        """Return the score of each text."""
