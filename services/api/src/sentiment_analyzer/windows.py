"""Overlapping windows over a review that is longer than the model can read at once."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


def split(tokens: Sequence[int], size: int, overlap: int) -> list[Sequence[int]]:
    """Cut `tokens` into as few windows as cover them, of one length (give or take one token).

    Equal lengths keep a short remainder from counting as much as a full window when logits are averaged.
    Neighbours share about `overlap` tokens, never fewer while there is more than one window.

    >>> split(range(10), size=6, overlap=2)
    [range(0, 6), range(4, 10)]

    :param size: the most tokens in a window, special tokens not counted.
    :param overlap: tokens that neighbours share, less than `size`.
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


def pool(margins: NDArray[np.float64]) -> float:
    """Return one margin for a review, of those of its windows, float64 [windows]: their mean."""
    return float(margins.mean())


@dataclass(frozen=True, slots=True)
class Windowing:
    """How a long review is read."""

    size: int
    """The most tokens in a window, special tokens not counted; a model with fewer positions has smaller ones."""
    overlap: int
    """Tokens that neighbours share."""


WINDOWING = Windowing(size=510, overlap=32)
