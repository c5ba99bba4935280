"""Overlapping windows."""

from itertools import pairwise

import numpy as np
import pytest

from src.sentiment_analyzer.windows import pool, split


@pytest.mark.parametrize("length", [0, 1, 510])
def test_a_review_that_fits_has_one_window(length: int) -> None:
    assert split(range(length), 510, 32) == [range(length)]


@pytest.mark.parametrize("length", [511, 512, 989, 1000, 4096, 22_000])
def test_every_token_is_read_and_neighbours_overlap(length: int) -> None:
    windows = split(range(length), 510, 32)
    assert {token for window in windows for token in window} == set(range(length))
    for left, right in pairwise(windows):
        assert len(set(left) & set(right)) >= 32


@pytest.mark.parametrize("length", [511, 1000, 4096, 22_000])
def test_windows_are_equally_long_and_the_fewest_possible(length: int) -> None:
    windows = split(range(length), 510, 32)
    assert len({len(window) for window in windows}) == 1
    assert len(windows[0]) <= 510
    assert len(windows) == -(-(length - 32) // (510 - 32))


def test_a_review_of_4096_tokens_costs_at_most_9_times_one_of_512() -> None:
    """The cost is the number of computed tokens, special tokens included."""
    computed = sum(len(window) + 2 for window in split(range(4096), 510, 32))
    assert computed <= 9 * 512


@pytest.mark.parametrize("overlap", [-1, 510, 511])
def test_an_overlap_that_is_negative_or_not_less_than_the_size_is_refused(overlap: int) -> None:
    with pytest.raises(ValueError, match="overlap"):
        split(range(1000), 510, overlap)


def test_the_logits_of_a_review_are_the_mean_of_its_windows_logits() -> None:
    assert pool(np.array([[3.0, 0.0], [-1.0, 2.0], [1.0, 4.0]])) == pytest.approx(np.array([1.0, 2.0]))
