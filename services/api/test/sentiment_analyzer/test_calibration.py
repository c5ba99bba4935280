"""Calibration: probabilities from logits."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from src.sentiment_analyzer import ModelError
from src.sentiment_analyzer.calibration import LONG, SHORT, Calibration, Scaling, read_calibration

MIDDLE = round((SHORT * LONG) ** 0.5)


def constant(*, stretch: float = 0.0, **numbers: float) -> Calibration:
    """The same scaling for all lengths."""
    return Calibration(Scaling(**numbers), Scaling(**numbers), stretch)


@pytest.mark.parametrize("margin", [0.0, 1e-9, 1.5, -3.0, 40.0, -1e4, 1e4])
@pytest.mark.parametrize("temperature", [0.3, 1.0, 2.5])
def test_the_score_of_two_labels_is_the_difference_of_their_probabilities(margin: float, temperature: float) -> None:
    for shared in (0.0, -7.0, 100.0):  # what both logits share changes nothing
        logits = np.array([shared, shared + margin])
        scaled = (logits - logits.max()) / temperature
        negative, positive = np.exp(scaled) / np.exp(scaled).sum()
        score, p_neutral = constant(temperature=temperature).score(logits, 5)
        assert score == pytest.approx(positive - negative, abs=1e-12)
        assert p_neutral is None


def test_without_calibration_probabilities_are_those_of_the_softmax() -> None:
    score, p_neutral = Calibration().score(np.log([0.2, 0.3, 0.5]), 5)
    assert (score, p_neutral) == (pytest.approx(0.3), pytest.approx(0.3))


def test_of_three_labels_temperature_shift_and_stretch_divide_what_is_not_neutral() -> None:
    calibration = constant(temperature=2.0, shift=-0.5, neutral=0.7, stretch=0.4)
    score, p_neutral = calibration.score(np.array([1.0, -2.0, 3.0]), 5)
    rest = 1 / (1 + math.exp(-2.0 + 0.7) / (math.exp(1.0) + math.exp(3.0)))
    positive = 1 / (1 + math.exp(-(math.sinh(0.4 * 2.0) / 0.4 / 2.0 - 0.5)))
    assert p_neutral == pytest.approx(1 - rest)
    assert score == pytest.approx(rest * (2 * positive - 1))


@pytest.mark.parametrize("logits", [[0, 0, 0], [1e5, -1e5, 0], [-1e5, 0, 1e5], [-1e5, -1e5, -1e5], [3, 2, 1]])
@pytest.mark.parametrize("stretch", [0.0, 0.5, 100.0])
def test_probabilities_are_in_range_whatever_the_logits(logits: list[float], stretch: float) -> None:
    score, p_neutral = constant(temperature=0.5, stretch=stretch).score(np.array(logits, float), 5)
    assert p_neutral is not None
    assert 0 <= p_neutral <= 1
    assert abs(score) <= 1 - p_neutral


def test_the_scaling_is_interpolated_between_short_and_long_texts_and_constant_beyond() -> None:
    calibration = Calibration(
        Scaling(temperature=2.0, shift=0.0, neutral=1.0), Scaling(temperature=0.5, shift=-1.0, neutral=2.0)
    )
    assert [calibration.at(count) for count in (0, 1, SHORT)] == [calibration.short] * 3
    middle = calibration.at(MIDDLE)
    assert (middle.temperature, middle.shift, middle.neutral) == pytest.approx((1.0, -0.5, 1.5))
    assert [calibration.at(count) for count in (LONG, 100_000)] == [calibration.long] * 2


def write(folder: Path, **content: object) -> None:
    (folder / "calibration.json").write_text(json.dumps(content))


def test_one_number_is_that_of_all_lengths(tmp_path: Path) -> None:
    write(tmp_path, temperature=2, neutral=-1)
    assert read_calibration(tmp_path) == constant(temperature=2.0, neutral=-1.0)


def test_a_file_may_have_temperatures_alone(tmp_path: Path) -> None:
    write(tmp_path, temperature={"short": 3, "long": 1.5}, fitted_on="held-out texts")
    assert read_calibration(tmp_path) == Calibration(Scaling(temperature=3.0), Scaling(temperature=1.5))


def test_all_numbers_are_read_for_short_and_for_long_texts(tmp_path: Path) -> None:
    write(
        tmp_path, temperature={"short": 1, "long": 2}, shift={"short": 3, "long": 4},
        neutral={"short": 5, "long": 6}, stretch=0.5,
    )  # fmt: skip
    short, long = Scaling(temperature=1, shift=3, neutral=5), Scaling(temperature=2, shift=4, neutral=6)
    assert read_calibration(tmp_path) == Calibration(short, long, 0.5)


def test_without_a_calibration_file_there_is_no_calibration(tmp_path: Path) -> None:
    assert read_calibration(tmp_path) is None


@pytest.mark.parametrize(
    "content",
    [
        *("", "{}", "[]", "2", '{"temperature": "warm"}', '{"temperature": 0}', '{"temperature": NaN}'),
        *('{"temperature": {"short": 1}}', '{"temperature": {"short": 1, "long": -1}}'),
        *('{"temperature": 1, "shift": null}', '{"temperature": 1, "shift": {"short": 1}}'),
        *('{"temperature": 1, "neutral": Infinity}', '{"temperature": 1, "neutral": [1, 2]}'),
        *('{"temperature": 1, "stretch": -0.1}', '{"temperature": 1, "stretch": {"short": 1, "long": 1}}'),
    ],
)
def test_a_damaged_calibration_file_raises_an_error_that_names_it(tmp_path: Path, content: str) -> None:
    (tmp_path / "calibration.json").write_text(content)
    with pytest.raises(ModelError, match=r"calibration\.json"):
        read_calibration(tmp_path)
