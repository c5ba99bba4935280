"""Quantization of weights to int8, the same for every engine.

Symmetric, zero point 0: Wu et al., Integer Quantization for Deep Learning Inference (2020),
https://arxiv.org/abs/2004.09602.
"""

import numpy as np
from numpy.typing import NDArray

INT8_MAX = 127
TINY = 1e-12
"""The smallest range to divide by, so that a row of zeros stays zero."""


def quantize(weight: NDArray[np.floating]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Return the weights as int8 [outputs, inputs] and the scale of each output, float32 [outputs].

    :param weight: [outputs, inputs], of any float dtype.
    """
    weight = weight.astype(np.float32)
    scale = np.maximum(np.abs(weight).max(axis=1), np.float32(TINY)) / np.float32(INT8_MAX)
    return np.rint(weight / scale[:, None]).astype(np.int8), scale
