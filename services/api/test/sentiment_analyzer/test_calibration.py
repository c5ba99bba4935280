"""Calibration by temperature scaling."""

from pathlib import Path

import numpy as np
import pytest

from src.sentiment_analyzer import ModelError
from src.sentiment_analyzer.calibration import (
    LONG,
    SHORT,
    Temperature,
    expected_calibration_error,
    fit_by_length,
    fit_temperature,
    read_temperature,
    reliability,
    score,
)


def test_a_score_is_the_difference_of_the_two_probabilities() -> None:
    positive, negative = 1 / (1 + np.exp(-1.5 / 2)), 1 / (1 + np.exp(1.5 / 2))
    assert score(1.5, temperature=2) == pytest.approx(positive - negative)


@pytest.mark.parametrize("margin", [-1e4, -1.0, 0.0, 1.0, 1e4])
def test_scores_stay_in_range_and_are_odd(margin: float) -> None:
    assert -1 <= score(margin, 0.5) <= 1
    assert score(-margin, 0.5) == -score(margin, 0.5)


def test_fitting_recovers_the_temperature_that_made_the_labels() -> None:
    random = np.random.default_rng(0)
    margins = random.normal(0, 6, 50_000)
    labels = (random.random(50_000) < 1 / (1 + np.exp(-margins / 2.5))).astype(np.int64)
    assert fit_temperature(margins, labels) == pytest.approx(2.5, rel=0.03)


def test_fitting_by_length_recovers_the_temperatures_that_made_the_labels() -> None:
    random = np.random.default_rng(0)
    margins, tokens = random.normal(0, 6, 50_000), random.integers(1, 1000, 50_000)
    truth = Temperature(short=3.0, long=1.5)
    temperatures = np.array([truth.at(count) for count in tokens])
    labels = (random.random(50_000) < 1 / (1 + np.exp(-margins / temperatures))).astype(np.int64)
    found = fit_by_length(margins, tokens, labels)
    assert (found.short, found.long) == (pytest.approx(3.0, rel=0.1), pytest.approx(1.5, rel=0.1))


def test_the_temperature_is_interpolated_between_short_and_long_texts_and_constant_beyond() -> None:
    temperature = Temperature(short=2.0, long=0.5)
    assert [temperature.at(count) for count in (0, 1, SHORT)] == [2.0] * 3
    assert temperature.at(round((SHORT * LONG) ** 0.5)) == pytest.approx(1.0)
    assert [temperature.at(count) for count in (LONG, 100_000)] == [0.5] * 2


def test_one_number_is_the_temperature_of_all_lengths(tmp_path: Path) -> None:
    (tmp_path / "calibration.json").write_text('{"temperature": 2}')
    assert read_temperature(tmp_path) == Temperature(2.0, 2.0)


def test_the_calibration_error_is_small_for_calibrated_and_large_for_overconfident_scores() -> None:
    random = np.random.default_rng(0)
    margins = random.normal(0, 6, 50_000)
    labels = (random.random(50_000) < 1 / (1 + np.exp(-margins / 2.5))).astype(np.int64)
    assert expected_calibration_error(np.tanh(margins / 5), labels) < 0.01
    assert expected_calibration_error(np.tanh(margins / 2), labels) > 0.05


def test_the_calibration_error_of_a_worked_example() -> None:
    """Two bins: of confidence 1, one of two is right; of confidence 0.5, the only one is right."""
    scores, labels = np.array([1.0, 1.0, 0.0]), np.array([1, 0, 1])
    assert expected_calibration_error(scores, labels) == pytest.approx((2 / 3) * 0.5 + (1 / 3) * 0.5)


def test_full_confidence_is_in_the_same_bin_as_nearly_full_confidence() -> None:
    [top] = reliability(np.array([1.0, 0.98]), np.array([1, 0]))
    assert (top.accuracy, top.share) == (0.5, 1.0)


def test_without_a_calibration_file_there_is_no_temperature(tmp_path: Path) -> None:
    assert read_temperature(tmp_path) is None


@pytest.mark.parametrize(
    "content",
    [
        *("", "{}", "[]", '{"temperature": "warm"}', '{"temperature": 0}', '{"temperature": NaN}'),
        *('{"temperature": {"short": 1}}', '{"temperature": {"short": 1, "long": -1}}'),
    ],
)
def test_a_damaged_calibration_file_raises_an_error_that_names_it(tmp_path: Path, content: str) -> None:
    (tmp_path / "calibration.json").write_text(content)
    with pytest.raises(ModelError, match=r"calibration\.json"):
        read_temperature(tmp_path)


def test_without_long_texts_both_temperatures_are_equal() -> None:
    random = np.random.default_rng(0)
    margins = random.normal(0, 6, 5_000)
    labels = (random.random(5_000) < 1 / (1 + np.exp(-margins / 2.5))).astype(np.int64)
    found = fit_by_length(margins, np.full(5_000, 10), labels)
    assert found.long == pytest.approx(found.short, rel=0.01)
