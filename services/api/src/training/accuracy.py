"""How right scores are, and how honest about it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from tqdm.auto import tqdm

from src.sentiment_analyzer.calibration import Floats, Labels, expected_calibration_error
from src.sentiment_analyzer.intervals import wilson
from src.sentiment_analyzer.sentiment_analysis import SentimentAnalyzer
from src.training import data

CHUNK = 256
"""Texts that are scored between two moves of the progress bar."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One model on one set."""

    accuracy: float
    interval: tuple[float, float]
    """Of the accuracy, 95% (Wilson)."""
    calibration_error: float
    """Expected calibration error, 15 bins."""


def scores(analyzer: SentimentAnalyzer, texts: Sequence[str], description: str) -> Floats:
    """Return the sentiment_score of each text, float64 [texts]."""
    order = np.argsort([len(text) for text in texts], kind="stable")
    result = np.empty(len(texts))
    with tqdm(total=len(texts), desc=description, unit="text") as progress:
        for start in range(0, len(order), CHUNK):
            chunk = order[start : start + CHUNK]
            result[chunk] = [score.sentiment_score for score in analyzer.analyze([texts[index] for index in chunk])]
            progress.update(len(chunk))
    return result


def evaluate(sentiment_scores: Floats, labels: Labels) -> Evaluation:
    """Return how the scores of some texts compare with their labels (0 negative, 1 positive)."""
    correct = int(((sentiment_scores >= 0) == (labels == 1)).sum())
    return Evaluation(
        accuracy=correct / len(labels),
        interval=wilson(correct, len(labels)),
        calibration_error=expected_calibration_error(sentiment_scores, labels),
    )


def labels_of(examples: Sequence[data.Example]) -> Labels:
    """Return the labels, int64 [examples]."""
    return np.array([example.label for example in examples], np.int64)
