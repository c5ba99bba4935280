"""The calibration of a trained model, fitted by log-loss on held-out texts."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional
from tqdm.auto import tqdm

from src.sentiment_analyzer.calibration import FILE, Calibration, length_share, read_calibration
from src.sentiment_analyzer.sentiment_analysis import SentimentAnalyzer
from src.training.corpus import Text

NEUTRAL = -0.15
"""The bias of neutral, chosen so that few held-out texts with an opinion are called neutral."""
WEIGHTS = {"sentence": 1.0, "phrase": 1.0, "rt_critics": 0.5, "imdb": 2.0, "yts_imdb": 0.2, "cad_new": 0.2}
"""Weight of the mean log-loss of each kind of held-out text. Later reviews, mostly positive, would shift long texts."""
PENALTY = 1e-3
LOWEST, HIGHEST = (-3.0, -3.0, -10.0, -10.0, -4.0), (3.0, 3.0, 10.0, 10.0, 1.0)
"""Bounds on the fitted numbers: log temperature of short and long texts, their shifts, log stretch."""
SHORTEST_PHRASE = 4
"""Tokens; shorter phrases are not what people review with."""
_CHUNK = 256

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Uncalibrated answers to texts whose label is positive or negative."""

    margin: Floats
    """logit(positive) - logit(negative), float64 [texts]."""
    tokens: NDArray[np.int64]
    positive: NDArray[np.bool_]
    weight: Floats
    """float64 [texts]; they need not add up to 1."""


def calibrate(folder: Path, held_out: Sequence[Text]) -> Calibration:
    """Fit the calibration of the model in `folder`, as served, and write it there."""
    (folder / FILE).unlink(missing_ok=True)
    analyzer = SentimentAnalyzer.load(str(folder))
    content = fit(sample(analyzer, held_out))
    (folder / FILE).write_text(json.dumps(content, indent=2) + "\n")
    calibration = read_calibration(folder)
    assert calibration is not None  # noqa: S101  # it was just written
    return calibration


def sample(analyzer: SentimentAnalyzer, held_out: Sequence[Text]) -> Sample:
    """Return the uncalibrated answers to the held-out texts that have an opinion."""
    texts = [text for text in held_out if text.target and np.argmax(text.target) != 1 and _group(text) in WEIGHTS]
    texts.sort(key=lambda text: len(text.text))
    readings = []
    for start in tqdm(range(0, len(texts), _CHUNK), desc="calibrating", unit="chunk"):
        readings += analyzer.read([text.text for text in texts[start : start + _CHUNK]])
    pairs = [(text, reading) for text, reading in zip(texts, readings, strict=True)
             if text.kind != "phrase" or reading.tokens >= SHORTEST_PHRASE]  # fmt: skip
    groups = np.array([_group(text) for text, _ in pairs])
    return Sample(
        margin=np.array([reading.logits[-1] - reading.logits[0] for _, reading in pairs]),
        tokens=np.array([reading.tokens for _, reading in pairs]),
        positive=np.array([text.target is not None and np.argmax(text.target) == 2 for text, _ in pairs]),
        weight=np.array([WEIGHTS[group] / (groups == group).sum() for group in groups.tolist()]),
    )


def _group(text: Text) -> str:
    return text.kind if text.kind in ("sentence", "phrase") else text.source


def _bounded(numbers: torch.Tensor) -> torch.Tensor:
    """Keep the logarithms of temperatures and stretch where a model that tells nothing apart would drive them out."""
    return torch.minimum(torch.maximum(numbers, torch.tensor(LOWEST)), torch.tensor(HIGHEST))


def fit(found: Sample) -> dict[str, object]:
    """Return the content of calibration.json with the least log-loss of positive against negative.

    A small penalty keeps the shifts near zero, and the two temperatures near each other, where the texts do not tell.
    """
    margin, positive, weight = (
        torch.tensor(np.asarray(values, float)) for values in (found.margin, found.positive, found.weight)
    )
    share = torch.tensor(length_share(found.tokens))
    numbers = torch.tensor([0.2, 0.2, 0.0, 0.0, -0.6], dtype=torch.float64, requires_grad=True)

    def loss() -> torch.Tensor:
        short, long, shift_short, shift_long, stretch = _bounded(numbers)
        scale = torch.exp(stretch)
        odds = torch.sinh(margin * scale) / scale * torch.exp(-((1 - share) * short + share * long))
        odds = odds + (1 - share) * shift_short + share * shift_long
        penalty = shift_short**2 + shift_long**2 + (short - long) ** 2
        losses = functional.binary_cross_entropy_with_logits(odds, positive, reduction="none")
        total: torch.Tensor = (weight * losses).sum() + PENALTY * penalty
        return total

    optimizer = torch.optim.LBFGS([numbers], max_iter=500, line_search_fn="strong_wolfe")

    def closure() -> float:
        optimizer.zero_grad()
        value = loss()
        value.backward()
        return value.item()

    optimizer.step(closure)
    short, long, shift_short, shift_long, stretch = _bounded(numbers).tolist()
    return {
        "temperature": {"short": round(float(np.exp(short)), 4), "long": round(float(np.exp(long)), 4)},
        "shift": {"short": round(shift_short, 4), "long": round(shift_long, 4)},
        "stretch": round(float(np.exp(stretch)), 4),
        "neutral": NEUTRAL,
        "fitted_on": f"{len(found.margin):,} held-out texts with an opinion, int8 as served",
    }
