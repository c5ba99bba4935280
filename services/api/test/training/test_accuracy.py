"""How right scores are, and how honest."""

import numpy as np
import pytest

from src.training import accuracy
from src.training.data import Example


def test_accuracy_counts_a_score_of_zero_as_positive() -> None:
    found = accuracy.evaluate(np.array([0.9, 0.0, -0.2, 0.4]), np.array([1, 1, 0, 0]))
    assert found.accuracy == 0.75
    assert found.interval == accuracy.wilson(3, 4)


def test_calibration_error_is_the_gap_between_confidence_and_accuracy() -> None:
    """All at confidence 0.9, and seven of ten are right."""
    found = accuracy.evaluate(np.full(10, 0.8), np.array([1] * 7 + [0] * 3))
    assert found.calibration_error == pytest.approx(0.2)


def test_the_wilson_interval_is_the_published_one() -> None:
    """Newcombe, Two-sided confidence intervals for the single proportion (1998), table I: 81 of 263, 15 of 148."""
    assert accuracy.wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert accuracy.wilson(15, 148) == pytest.approx((0.0624, 0.1605), abs=5e-5)


def test_the_interval_of_a_perfect_score_is_not_a_point() -> None:
    low, high = accuracy.wilson(10, 10)
    assert low < 0.8
    assert high == pytest.approx(1)


def test_labels_are_in_the_order_of_the_examples() -> None:
    assert accuracy.labels_of([Example("good", 1), Example("bad", 0)]).tolist() == [1, 0]
