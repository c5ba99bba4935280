"""Figures of a model, and the table that shows them."""

import numpy as np
import pytest

from src.training import evaluate
from src.training.data import Example


def test_accuracy_counts_a_score_of_zero_as_positive() -> None:
    found = evaluate.evaluate(np.array([0.9, 0.0, -0.2, 0.4]), np.array([1, 1, 0, 0]))
    assert found.accuracy == 0.75
    assert found.interval == evaluate.wilson(3, 4)


def test_calibration_error_is_the_gap_between_confidence_and_accuracy() -> None:
    """All at confidence 0.9, and seven of ten are right."""
    found = evaluate.evaluate(np.full(10, 0.8), np.array([1] * 7 + [0] * 3))
    assert found.calibration_error == pytest.approx(0.2)


def test_the_wilson_interval_is_the_published_one() -> None:
    """Newcombe, Two-sided confidence intervals for the single proportion (1998), table I: 81 of 263, 15 of 148."""
    assert evaluate.wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert evaluate.wilson(15, 148) == pytest.approx((0.0624, 0.1605), abs=5e-5)


def test_the_interval_of_a_perfect_score_is_not_a_point() -> None:
    low, high = evaluate.wilson(10, 10)
    assert low < 0.8
    assert high == pytest.approx(1)


def test_labels_are_in_the_order_of_the_examples() -> None:
    assert evaluate.labels_of([Example("good", 1), Example("bad", 0)]).tolist() == [1, 0]


def test_the_table_has_a_row_per_set() -> None:
    figures = {"accuracy": 0.9125, "interval": (0.892, 0.9294), "calibration_error": 0.0123}
    metrics = {"sets": {"sst2_dev": {"texts": 25000, "int8": figures, "fp32": figures, "flips": 0.004}}}
    assert evaluate.table(metrics).splitlines()[2:] == [
        "| sst2_dev | 25,000 | 0.9125 | 0.8920 to 0.9294 | 0.9125 | 0.40% | 1.23% |"
    ]
