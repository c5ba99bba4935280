"""Fitting the calibration."""

import json
from pathlib import Path

import numpy as np
import pytest

from src.sentiment_analyzer.calibration import Calibration, Scaling, read_calibration
from src.training import corpus
from src.training.calibrate import Sample, calibrate, fit


def made(calibration: Calibration, texts: int = 40_000) -> Sample:
    """Return a sample whose labels were drawn with the probabilities of a calibration."""
    draw = np.random.default_rng(0)
    margin, tokens = draw.normal(0, 3, texts), draw.choice([10, 64, 400], texts)
    positive = []
    for one, size in zip(margin, tokens, strict=True):
        score, _ = calibration.score(np.array([-one / 2, one / 2]), int(size))
        positive.append(draw.random() < (1 + score) / 2)
    return Sample(margin, tokens, np.array(positive), np.full(texts, 1 / texts))


def test_fitting_recovers_the_calibration_that_made_the_labels() -> None:
    truth = Calibration(Scaling(temperature=1.3, shift=-0.4), Scaling(temperature=1.7, shift=0.0), 0.4)
    found = fit(made(truth))
    assert found["stretch"] == pytest.approx(0.4, abs=0.08)
    assert found["temperature"] == pytest.approx({"short": 1.3, "long": 1.7}, rel=0.1)
    assert found["shift"] == pytest.approx({"short": -0.4, "long": 0.0}, abs=0.08)


def test_a_few_texts_that_tell_little_give_a_calibration_that_can_be_read(tmp_path: Path) -> None:
    """Without bounds, one in twenty of these drove a number out of all bounds."""
    for seed in range(100):
        draw = np.random.default_rng(seed)
        texts = int(draw.integers(1, 40))
        margin = draw.normal(draw.normal(), 10 ** draw.uniform(-6, 1.5), texts)
        positive, tokens = draw.random(texts) < draw.random(), draw.integers(3, 400, texts)
        found = fit(Sample(margin, tokens, positive, np.full(texts, 1 / texts)))
        (tmp_path / "calibration.json").write_text(json.dumps(found))
        assert read_calibration(tmp_path) is not None, seed


def test_calibrating_writes_the_file_and_gives_the_same_again(model: Path) -> None:
    texts = corpus.held_out()
    first = calibrate(model, texts)
    content = json.loads((model / "calibration.json").read_text())
    assert content["temperature"]["short"] == first.short.temperature
    assert "held-out texts" in content["fitted_on"]
    assert calibrate(model, texts) == first
    (model / "calibration.json").unlink()
