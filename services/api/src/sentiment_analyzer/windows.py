"""Overlapping windows over reviews that are longer than the model's input."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


def split(tokens: Sequence[int], size: int, overlap: int) -> list[Sequence[int]]:
    """Cut `tokens` into the fewest windows that cover them, all of equal length.

    With equal lengths, no short remainder counts as much as a full window when the logits are averaged. Neighbours
    share at least `overlap` tokens.

    >>> split(range(10), size=6, overlap=2)
    [range(0, 6), range(4, 10)]

    :param size: the most tokens in a window, without special tokens.
    :param overlap: the tokens that neighbours share, less than `size`.
    """
    if not 0 <= overlap < size:
        raise ValueError(f"overlap {overlap} must be at least 0 and less than the window size {size}")
    if len(tokens) <= size:
        return [tokens]
    count = -(-(len(tokens) - overlap) // (size - overlap))
    length = -(-(len(tokens) + (count - 1) * overlap) // count)
    last_start = len(tokens) - length
    starts = [last_start * index // (count - 1) for index in range(count)]
    return [tokens[start : start + length] for start in starts]


def pool(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the logits of a review, float64 [labels]: the mean of those of its windows, float64 [windows, labels]."""
    mean: NDArray[np.float64] = logits.mean(axis=0)
    return mean


@dataclass(frozen=True, slots=True)
class Windowing:
    """The size and the overlap of windows."""

    size: int
    """The most tokens in a window, without special tokens. A model with fewer positions has smaller windows."""
    overlap: int
    """The tokens that neighbours share."""


WINDOWING = Windowing(size=510, overlap=32)
