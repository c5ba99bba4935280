"""Sentiment analysis: text in, score out, without Flask or SQLAlchemy.

Importing the package loads no PyTorch. `sentiment_analysis.SentimentAnalyzer` loads a model, and `scorer.scorer.Scorer`
runs one in a process of its own; both are an `Analyzer`.
"""

from collections.abc import Sequence
from typing import Protocol

from src.sentiment_analyzer.errors import ModelError
from src.sentiment_analyzer.score import Score

__all__ = ["Analyzer", "ModelError", "Score"]


class Analyzer(Protocol):
    """The interface between the service and a model."""

    @property
    def version(self) -> str:
        """The name of the model and a fingerprint of everything that determines a score."""

    @property
    def calibrated(self) -> bool:
        """True if the model has a fitted temperature."""

    @property
    def ready(self) -> bool:
        """True if it can score now."""

    def analyze(self, texts: Sequence[str], *, background: bool = False) -> list[Score]:
        """Return the score of each text.

        :param background: give way to calls without it.
        :raises NotScored: it cannot score now; a retry may succeed.
        :raises ReviewFailed: one of the texts cannot be scored.
        """
