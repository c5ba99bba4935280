"""Temperature scaling."""

from pathlib import Path

import numpy as np
import pytest

from src.sentiment_analyzer import ModelError
from src.sentiment_analyzer.calibration import expected_calibration_error, fit_temperature, read_temperature, score


def test_a_score_is_the_difference_of_the_two_probabilities() -> None:
    positive, negative = 1 / (1 + np.exp(-1.5 / 2)), 1 / (1 + np.exp(1.5 / 2))
    assert score(1.5, temperature=2) == pytest.approx(positive - negative)


@pytest.mark.parametrize("margin", [-1e4, -1.0, 0.0, 1.0, 1e4])
def test_scores_stay_in_range_and_are_odd(margin: float) -> None:
    assert -1 <= score(margin, 0.5) <= 1
    assert score(-margin, 0.5) == -score(margin, 0.5)


def test_the_temperature_that_made_the_labels_is_found() -> None:
    random = np.random.default_rng(0)
    margins = random.normal(0, 6, 50_000)
    labels = (random.random(50_000) < 1 / (1 + np.exp(-margins / 2.5))).astype(np.int64)
    assert fit_temperature(margins, labels) == pytest.approx(2.5, rel=0.03)


def test_calibrated_scores_have_a_small_calibration_error_and_overconfident_ones_a_large() -> None:
    random = np.random.default_rng(0)
    margins = random.normal(0, 6, 50_000)
    labels = (random.random(50_000) < 1 / (1 + np.exp(-margins / 2.5))).astype(np.int64)
    assert expected_calibration_error(np.tanh(margins / 5), labels) < 0.01
    assert expected_calibration_error(np.tanh(margins / 2), labels) > 0.05


def test_the_calibration_error_of_a_worked_example() -> None:
    """Two bins: confidence 1 right once of two, confidence 0.5 right always."""
    scores, labels = np.array([1.0, 1.0, 0.0]), np.array([1, 0, 1])
    assert expected_calibration_error(scores, labels) == pytest.approx((2 / 3) * 0.5 + (1 / 3) * 0.5)


def test_a_model_without_a_temperature_has_none(tmp_path: Path) -> None:
    assert read_temperature(tmp_path) is None


@pytest.mark.parametrize(
    "content", ["", "{}", '{"temperature": "warm"}', '{"temperature": 0}', '{"temperature": NaN}', "[]"]
)
def test_a_damaged_temperature_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "calibration.json").write_text(content)
    with pytest.raises(ModelError, match=r"calibration\.json"):
        read_temperature(tmp_path)
