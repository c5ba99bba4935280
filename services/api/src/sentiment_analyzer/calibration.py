"""Temperature scaling: logits divided by one number, so that confidence means what it says.

Guo et al., On Calibration of Modern Neural Networks (2017), https://arxiv.org/abs/1706.04599.
A margin is logit(positive) - logit(negative); P(positive) at temperature T is sigmoid(margin / T).
"""

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from src.sentiment_analyzer.errors import ModelError

FILE = "calibration.json"

Floats: TypeAlias = NDArray[np.float64]
Labels: TypeAlias = NDArray[np.int64]


def read_temperature(folder: Path) -> float | None:
    """Return the temperature that is kept beside the weights, None for a model without one.

    :raises ModelError: the file is there but holds no positive number.
    """
    path = folder / FILE
    if not path.exists():
        return None
    try:
        temperature = float(json.loads(path.read_text())["temperature"])
    except (ValueError, KeyError, TypeError) as error:
        raise ModelError(f'{path} should hold {{"temperature": <positive number>}}: {error}') from error
    if not 0 < temperature < float("inf"):
        raise ModelError(f"{path}: the temperature must be positive, not {temperature}")
    return temperature


def score(margin: float, temperature: float) -> float:
    """Return P(positive) - P(negative), in [-1, 1]: sigmoid(m / T) - sigmoid(-m / T) = tanh(m / 2T)."""
    return math.tanh(margin / (2 * temperature))


def fit_temperature(margin: Floats, labels: Labels) -> float:
    """Return the temperature of least negative log-likelihood on held-out data.

    The likelihood has one minimum in log T, so a golden-section search over [0.05, 20] finds it.

    :param labels: 0 negative, 1 positive, int64 [n].
    """

    def loss(log_temperature: float) -> float:
        signed = np.where(labels == 1, margin, -margin) / np.exp(log_temperature)
        return float(np.logaddexp(0, -signed).mean())

    low, high = float(np.log(0.05)), float(np.log(20))
    golden = (np.sqrt(5) - 1) / 2
    while high - low > 1e-5:
        left, right = high - golden * (high - low), low + golden * (high - low)
        if loss(left) < loss(right):
            high = right
        else:
            low = left
    return float(np.exp((low + high) / 2))


@dataclass(frozen=True, slots=True)
class Bin:
    """The texts whose confidence lies in one of equally wide bins."""

    confidence: float
    """Their mean confidence."""
    accuracy: float
    """The share of them that is read rightly."""
    share: float
    """How many of all texts they are."""


def reliability(scores: Floats, labels: Labels, bins: int = 15) -> list[Bin]:
    """Return the bins of confidence, between 0.5 and 1, that hold a text.

    :param scores: P(positive) - P(negative), float64 [n].
    :param labels: 0 negative, 1 positive, int64 [n].
    """
    confidence = (1 + np.abs(scores)) / 2
    correct = (scores >= 0) == (labels == 1)
    index = np.minimum((np.abs(scores) * bins).astype(int), bins - 1)
    return [
        Bin(float(confidence[inside].mean()), float(correct[inside].mean()), float(inside.mean()))
        for inside in (index == one for one in np.unique(index))
    ]


def expected_calibration_error(scores: Floats, labels: Labels, bins: int = 15) -> float:
    """Return the mean distance between confidence and accuracy over the bins of `reliability`."""
    return sum(abs(one.confidence - one.accuracy) * one.share for one in reliability(scores, labels, bins))
