"""Calibration: logits become probabilities that match frequencies.

P(neutral) is the softmax's, after a bias on the logit of neutral. The rest is divided between positive and negative by
their calibrated log-odds: the difference of their logits is stretched, divided by a temperature (Guo et al., On
Calibration of Modern Neural Networks, 2017, https://arxiv.org/abs/1706.04599) and shifted. The stretch makes up for
training on smoothed labels and on a teacher's answers, which never ask for a probability near 1. A single sentence is
weaker evidence than a whole review with the same logits, so all but the stretch depend on the length of the text.
"""

import json
import math
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from src.sentiment_analyzer.errors import ModelError

FILE = "calibration.json"
_FORM = (
    '{"temperature": {"short": <positive number>, "long": <positive number>}}, or one number as the temperature, and '
    'perhaps "shift" and "neutral" with a short and a long number each, and "stretch", a number that is not negative'
)

Floats: TypeAlias = NDArray[np.float64]

SHORT, LONG = 16, 256
"""Texts of at most SHORT tokens are scaled as short ones, texts of at least LONG tokens as long ones."""
MAX_SINH_ARGUMENT = 700.0
"""The bound on the argument of sinh, which overflows near 710."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaling:
    """The numbers for texts of one length; the defaults leave logits as they are."""

    temperature: float = 1.0
    shift: float = 0.0
    """The number added to the log-odds of positive against negative."""
    neutral: float = 0.0
    """The number added to the logit of neutral."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """The scaling of short texts and that of long ones.

    Between them, the logarithm of the temperature, the shift and the bias are linear in the logarithm of the number of
    tokens.
    """

    short: Scaling = Scaling()
    long: Scaling = Scaling()
    stretch: float = 0.0
    """A margin m, positive less negative, becomes sinh(stretch m) / stretch; 0 leaves it as it is."""

    def at(self, tokens: int) -> Scaling:
        """Return the scaling of a text of `tokens` tokens.

        >>> Calibration(Scaling(temperature=1.0), Scaling(temperature=0.25, shift=1.0)).at(64)
        Scaling(temperature=0.5, shift=0.5, neutral=0.0)
        """
        share = float(length_share(np.array([tokens]))[0])
        short, long = self.short, self.long
        return Scaling(
            temperature=float(short.temperature ** (1 - share) * long.temperature**share),
            shift=(1 - share) * short.shift + share * long.shift,
            neutral=(1 - share) * short.neutral + share * long.neutral,
        )

    def score(self, logits: Floats, tokens: int) -> tuple[float, float | None]:
        """Return P(positive) - P(negative) and P(neutral), None for two labels.

        :param logits: negative, neutral if there is one, positive; float64 [labels].
        :param tokens: how many tokens the text has.
        """
        scaling = self.at(tokens)
        margin = float(logits[-1] - logits[0])
        far = min(max(self.stretch * margin, -MAX_SINH_ARGUMENT), MAX_SINH_ARGUMENT)
        stretched = math.sinh(far) / self.stretch if self.stretch else margin
        balance = math.tanh((stretched / scaling.temperature + scaling.shift) / 2)  # sigmoid(m) - sigmoid(-m)
        if len(logits) == 2:
            return balance, None
        powers = np.exp(logits - logits.max() + np.array([0.0, scaling.neutral, 0.0]))
        p_neutral = float(powers[1] / powers.sum())
        return (1 - p_neutral) * balance, p_neutral


def length_share(tokens: NDArray[np.integer]) -> Floats:
    """Return the position of each length between SHORT (0) and LONG (1) on a logarithmic scale, float64 [texts]."""
    share: Floats = np.log(np.clip(tokens, SHORT, LONG) / SHORT) / np.log(LONG / SHORT)
    return share


def read_calibration(folder: Path) -> Calibration | None:
    """Return the calibration in the checkpoint's folder, or None for a model without one.

    :raises ModelError: a number is missing or not finite, or a temperature is not positive.
    """
    path = folder / FILE
    if not path.exists():
        return None
    try:
        content = json.loads(path.read_text())
        short, long = (
            Scaling(
                temperature=_at_end(content["temperature"], end),
                shift=_at_end(content.get("shift", 0.0), end),
                neutral=_at_end(content.get("neutral", 0.0), end),
            )
            for end in ("short", "long")
        )
        calibration = Calibration(short, long, float(content.get("stretch", 0.0)))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"{path} must hold {_FORM}: {error}") from error
    numbers = [calibration.stretch, *astuple(short), *astuple(long)]
    if not np.isfinite(numbers).all() or min(short.temperature, long.temperature) <= 0 or calibration.stretch < 0:
        raise ModelError(f"{path} must hold {_FORM}, and has {calibration}")
    return calibration


def _at_end(value: Any, end: str) -> float:
    """Return the number for short or for long texts; one number is that of both."""
    return float(value[end] if isinstance(value, dict) else value)
