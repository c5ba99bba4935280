"""What a row of a data set says about its text: the probability of positive that training aims at.

A hard label says no more than 0 or 1. Where a set has finer marks, they are used: a review of 4 stars in 10 is
less negative than one of 1.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

Row: TypeAlias = Mapping[str, Any]
Target: TypeAlias = Callable[[Row], float | None]
"""Row to P(positive) in [0, 1], or None for a row that is left out."""

FIVE_WAY = (0.02, 0.1, 0.5, 0.9, 0.98)
"""For very negative, negative, neutral, positive, very positive."""
NEUTRAL_WORDS = 5
"""Neutral phrases below are fragments such as "than it is": a third of all phrases, and little to learn from."""
STEEPNESS = 0.9
"""Of the logistic curve over ratings: 1 star is 0.02, 4 stars 0.21, 7 stars 0.79, 10 stars 0.98."""


def by_label(row: Row) -> float:
    """Return the `label`, 0 or 1."""
    return float(int(row["label"]))


def by_rating(row: Row) -> float:
    """Return a point of the logistic curve over `rating`, stars from 1 to 10; the label where there are none."""
    if row.get("rating") is None:
        return by_label(row)
    return 1 / (1 + math.exp(-STEEPNESS * (row["rating"] - 5.5)))


def by_clear_rating(row: Row) -> float | None:
    """Return what `by_rating` does, and leave out 7 stars, the least clear of the positive ones."""
    return None if row.get("rating") == 7 else by_rating(row)


def by_rating01(row: Row) -> float:
    """Return a point of the same curve over `rating01`, from 0 to 1."""
    return by_rating({"rating": 10 * row["rating01"]})


def by_five_way(row: Row) -> float | None:
    """Return the value of `label5`, 0 to 4, and leave out short neutral phrases."""
    if row["label5"] == 2 and len(row["text"].split()) < NEUTRAL_WORDS:
        return None
    return FIVE_WAY[row["label5"]]


def neutral_if_objective(row: Row) -> float | None:
    """Return 0.5 for a sentence whose `kind` is objective, as of a plot summary; leave out the others."""
    return 0.5 if row["kind"] == "objective" else None
