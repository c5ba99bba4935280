"""Calibration by temperature scaling: divide the logits by a temperature, so that confidence matches accuracy.

Guo et al., On Calibration of Modern Neural Networks (2017), https://arxiv.org/abs/1706.04599.
A margin is logit(positive) - logit(negative), the log-odds; P(positive) at temperature T is sigmoid(margin / T).
A single sentence is weaker evidence than a whole review of the same margin, so T depends on the length of the text.
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
_EQUALITY_WEIGHT = 1e-4
"""The weight of log(short / long) squared in the loss, in nats. It is small: it only makes the two temperatures equal
where the data do not tell them apart."""

Floats: TypeAlias = NDArray[np.float64]
Labels: TypeAlias = NDArray[np.int64]


SHORT, LONG = 16, 256
"""Texts of at most SHORT tokens have the short temperature, texts of at least LONG tokens the long one."""


@dataclass(frozen=True, slots=True)
class Temperature:
    """The temperature of short texts and that of long ones.

    Between them, the logarithm of the temperature is linear in the logarithm of the number of tokens.
    """

    short: float
    long: float

    def at(self, tokens: int) -> float:
        """Return the temperature of a text of `tokens` tokens.

        >>> Temperature(short=1.0, long=0.25).at(64)
        0.5
        """
        share = float(length_share(np.array([tokens]))[0])
        return float(self.short ** (1 - share) * self.long**share)


def length_share(tokens: NDArray[np.integer]) -> Floats:
    """Return the position of each length between SHORT (0) and LONG (1) on a logarithmic scale, float64 [texts]."""
    share: Floats = np.log(np.clip(tokens, SHORT, LONG) / SHORT) / np.log(LONG / SHORT)
    return share


def read_temperature(folder: Path) -> Temperature | None:
    """Return the temperature in the checkpoint's folder, or None for a model without one.

    :raises ModelError: the file holds neither one positive number nor two.
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
        raise ModelError(f"{path} must hold {form}, or one number as the temperature: {error}") from error
    if not all(0 < one < float("inf") for one in (temperature.short, temperature.long)):
        raise ModelError(f"{path}: the temperature must be positive and finite, not {temperature}")
    return temperature


def score(margin: float, temperature: float) -> float:
    """Return P(positive) - P(negative), in [-1, 1].

    That is sigmoid(m / T) - sigmoid(-m / T) = tanh(m / 2T).
    """
    return math.tanh(margin / (2 * temperature))


def fit_temperature(margin: Floats, labels: Labels) -> float:
    """Return the single temperature with the least negative log-likelihood on held-out data.

    :param labels: 0 negative, 1 positive, int64 [n].
    """
    signed = np.where(labels == 1, margin, -margin)
    return _least(lambda temperature: float(np.logaddexp(0, -signed / temperature).mean()))


def fit_by_length(margin: Floats, tokens: NDArray[np.integer], labels: Labels) -> Temperature:
    """Return the temperature of short and of long texts with the least negative log-likelihood on held-out data.

    The two are fitted in turn until neither changes. They are equal where the data do not tell them apart.

    :param tokens: the number of tokens of each text, int [n].
    :param labels: 0 negative, 1 positive, int64 [n].
    """
    signed, share = np.where(labels == 1, margin, -margin), length_share(tokens)

    def loss(short: float, long: float) -> float:
        likelihood = np.logaddexp(0, -signed / (short ** (1 - share) * long**share)).mean()
        return float(likelihood + _EQUALITY_WEIGHT * np.log(short / long) ** 2)

    fitted = Temperature(1.0, 1.0)
    while True:
        before, long = fitted, fitted.long
        short = _least(lambda value: loss(value, long))  # noqa: B023  # called within the iteration
        fitted = Temperature(short, _least(lambda value: loss(short, value)))  # noqa: B023  # likewise
        if max(abs(fitted.short - before.short), abs(fitted.long - before.long)) < _PRECISION:
            return fitted


def _least(loss: Callable[[float], float]) -> float:
    """Return the temperature in [0.05, 20] with the least loss, by golden-section search.

    The loss must have a single minimum in log T.
    """
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
    """The texts whose confidence lies in one of the bins, which are equally wide."""

    confidence: float
    """The mean confidence."""
    accuracy: float
    """The share of the texts whose predicted label is right."""
    share: float
    """The share of all texts that are in the bin."""


def reliability(scores: Floats, labels: Labels, bins: int = 15) -> list[Bin]:
    """Return the non-empty bins of a reliability diagram: confidence from 0.5 to 1, cut into equal widths.

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
    """Return the mean absolute difference of confidence and accuracy over the bins of `reliability`, by share."""
    return sum(abs(one.confidence - one.accuracy) * one.share for one in reliability(scores, labels, bins))
