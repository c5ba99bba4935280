"""Temperature scaling: logits divided by a number, so that confidence means what it says.

Guo et al., On Calibration of Modern Neural Networks (2017), https://arxiv.org/abs/1706.04599.
A margin is logit(positive) - logit(negative); P(positive) at temperature T is sigmoid(margin / T).
One sentence tells less than a whole review, and the margin does not know it: so T depends on how much was read.
"""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from src.sentiment_analyzer.errors import ModelError

FILE = "calibration.json"
_PRECISION = 1e-4
_EQUAL = 1e-4
"""What the square of the logarithm of one temperature over the other costs, in nats: next to nothing."""

Floats: TypeAlias = NDArray[np.float64]
Labels: TypeAlias = NDArray[np.int64]


SHORT, LONG = 16, 256
"""Tokens up to which, and from which on, a text is as short and as long as can be."""


@dataclass(frozen=True, slots=True)
class Temperature:
    """Of short texts and of long ones; in between, its logarithm is linear in that of the tokens."""

    short: float
    long: float

    def at(self, tokens: int) -> float:
        """Return the temperature of a text of so many tokens.

        >>> Temperature(short=1.0, long=0.25).at(64)
        0.5
        """
        share = float(length_share(np.array([tokens]))[0])
        return float(self.short ** (1 - share) * self.long**share)


def length_share(tokens: NDArray[np.integer]) -> Floats:
    """Return how far each text is on the way from SHORT to LONG, float64 [texts], in [0, 1]."""
    share: Floats = np.log(np.clip(tokens, SHORT, LONG) / SHORT) / np.log(LONG / SHORT)
    return share


def read_temperature(folder: Path) -> Temperature | None:
    """Return the temperature that is kept beside the weights, None for a model without one.

    :raises ModelError: the file is there but holds no positive number, and no two of them.
    """
    path = folder / FILE
    if not path.exists():
        return None
    try:
        content = json.loads(path.read_text())["temperature"]
        both = content if isinstance(content, dict) else {"short": content, "long": content}
        temperature = Temperature(float(both["short"]), float(both["long"]))
    except (ValueError, KeyError, TypeError) as error:
        form = '{"temperature": {"short": <positive number>, "long": <positive number>}}'
        raise ModelError(f"{path} should hold {form}, or one number: {error}") from error
    if not all(0 < one < float("inf") for one in (temperature.short, temperature.long)):
        raise ModelError(f"{path}: the temperature must be positive, not {temperature}")
    return temperature


def score(margin: float, temperature: float) -> float:
    """Return P(positive) - P(negative), in [-1, 1]: sigmoid(m / T) - sigmoid(-m / T) = tanh(m / 2T)."""
    return math.tanh(margin / (2 * temperature))


def fit_temperature(margin: Floats, labels: Labels) -> float:
    """Return the one temperature of least negative log-likelihood on held-out data.

    :param labels: 0 negative, 1 positive, int64 [n].
    """
    signed = np.where(labels == 1, margin, -margin)
    return _least(lambda temperature: float(np.logaddexp(0, -signed / temperature).mean()))


def fit_by_length(margin: Floats, tokens: NDArray[np.integer], labels: Labels) -> Temperature:
    """Return the temperature of least negative log-likelihood on held-out data, for texts of every length.

    The two ends are fitted in turn, until neither moves. Where no text says otherwise, they are equal.

    :param tokens: how many each text has, [n].
    :param labels: 0 negative, 1 positive, int64 [n].
    """
    signed, share = np.where(labels == 1, margin, -margin), length_share(tokens)

    def loss(short: float, long: float) -> float:
        likelihood = np.logaddexp(0, -signed / (short ** (1 - share) * long**share)).mean()
        return float(likelihood + _EQUAL * np.log(short / long) ** 2)

    fitted = Temperature(1.0, 1.0)
    while True:
        before, long = fitted, fitted.long
        short = _least(lambda one: loss(one, long))  # noqa: B023  # called before the next turn
        fitted = Temperature(short, _least(lambda one: loss(short, one)))  # noqa: B023  # likewise
        if max(abs(fitted.short - before.short), abs(fitted.long - before.long)) < _PRECISION:
            return fitted


def _least(loss: Callable[[float], float]) -> float:
    """Return the temperature of least loss, which has one minimum in log T: by golden section over [0.05, 20]."""
    low, high = float(np.log(0.05)), float(np.log(20))
    golden = (np.sqrt(5) - 1) / 2
    while high - low > 1e-5:
        left, right = high - golden * (high - low), low + golden * (high - low)
        if loss(np.exp(left)) < loss(np.exp(right)):
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
