"""Confidence intervals of measured proportions."""

import math


def wilson(successes: int, trials: int, z: float = 1.96) -> tuple[float, float]:
    """Return the 95% score interval of a proportion.

    Wilson, Probable Inference (1927), https://doi.org/10.2307/2276774.

    :param z: the quantile of the normal distribution; 1.96 for 95%.
    :raises ZeroDivisionError: `trials` is 0.
    """
    share, shrink = successes / trials, 1 + z * z / trials
    middle = share + z * z / (2 * trials)
    half = z * math.sqrt((share * (1 - share) + z * z / (4 * trials)) / trials)
    return max(0.0, (middle - half) / shrink), min(1.0, (middle + half) / shrink)
