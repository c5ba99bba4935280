"""How sure a measured share is."""

import math


def wilson(successes: int, trials: int, z: float = 1.96) -> tuple[float, float]:
    """Return the 95% interval of a share: Wilson, Probable Inference (1927), https://doi.org/10.2307/2276774.

    :raises ZeroDivisionError: there were no trials.
    """
    share, shrink = successes / trials, 1 + z * z / trials
    middle = share + z * z / (2 * trials)
    half = z * math.sqrt((share * (1 - share) + z * z / (4 * trials)) / trials)
    return max(0.0, (middle - half) / shrink), min(1.0, (middle + half) / shrink)
