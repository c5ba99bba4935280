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

    @property
    def version(self) -> str:
        """Name and fingerprint of everything that decides a score."""

    @property
    def calibrated(self) -> bool:
        """Whether a temperature was fitted for it."""

    @property
    def ready(self) -> bool:
        """Whether it can score at the moment."""

    def analyze(self, texts: Sequence[str], *, background: bool = False) -> list[Score]:
        """Return the score of each text.

        :param background: let all others go first.
        :raises NotScored: it cannot at the moment, or has too much to do.
        :raises ReviewFailed: scoring one of them failed.
        """
