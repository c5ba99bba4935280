"""Linear layers of the PyTorch engine, in int8 and in float32: float32 [rows, inputs] to float32 [rows, outputs]."""

from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional

from src.sentiment_analyzer.engines.quantization import INT8_MAX, TINY, quantize


class Linear(Protocol):
    """The interface of a layer."""

    nbytes: int
    """The bytes of its weights in memory."""

    def __call__(self, rows: Tensor) -> Tensor:
        """Map float32 [rows, inputs] to float32 [rows, outputs]."""


class IntegerProducts:
    """int8 products by oneDNN: fast on processors with VNNI, slower than float32 on others."""

    def __init__(self, weight: Tensor) -> None:
        """Keep a weight, int8 [outputs, inputs]."""
        self._weight = weight.t()  # [inputs, outputs]
        self.nbytes = weight.nbytes

    def __call__(self, rows: Tensor) -> Tensor:
        """Multiply rows of integers in [-127, 127], float32 [rows, inputs]; return float32 [rows, outputs]."""
        return torch._int_mm(rows.to(torch.int8), self._weight).float()


class FloatProducts:
    """The same products in float32, exact in any order of summation: float32 holds every integer up to 2^24."""

    EXACT_INPUTS = 2**24 // INT8_MAX**2

    def __init__(self, weight: Tensor) -> None:
        """Keep a weight, int8 [outputs, inputs]."""
        self._weights = [part.float().t() for part in weight.split(self.EXACT_INPUTS, dim=1)]  # [inputs, outputs] each
        self.nbytes = sum(part.nbytes for part in self._weights)

    def __call__(self, rows: Tensor) -> Tensor:
        """Multiply rows of integers in [-127, 127], float32 [rows, inputs]; return float32 [rows, outputs]."""
        parts = rows.split(self.EXACT_INPUTS, dim=1)
        products: Tensor = parts[0] @ self._weights[0]
        for part, weight in zip(parts[1:], self._weights[1:], strict=True):
            products += part @ weight
        return products


class Int8Linear:
    """Weights in int8 with a scale per output, activations in int8 with a scale per row (per token).

    The result of a row depends on that row only: products are exact, and everything else is elementwise.
    """

    def __init__(self, weight: Tensor, bias: Tensor) -> None:
        """Quantize a layer.

        :param weight: float [outputs, inputs].
        :param bias: float [outputs].
        """
        quantized, scale = quantize(weight.numpy())
        products = IntegerProducts if torch.cpu._is_vnni_supported() else FloatProducts
        self._products = products(torch.from_numpy(quantized))
        self._scale = torch.from_numpy(scale)
        self._bias = bias.float()
        self.nbytes = self._products.nbytes + self._scale.nbytes + self._bias.nbytes

    def __call__(self, rows: Tensor) -> Tensor:
        """Map float32 [rows, inputs] to float32 [rows, outputs]."""
        scale = rows.abs().amax(dim=1, keepdim=True).clamp_min(TINY) / INT8_MAX  # float32 [rows, 1]
        return self._products(torch.round(rows / scale)).mul_(scale).mul_(self._scale).add_(self._bias)


class FloatLinear:
    """The same layer in float32, as the reference for int8."""

    def __init__(self, weight: Tensor, bias: Tensor) -> None:
        """Keep a layer, with the parameters of `Int8Linear`."""
        self._weight, self._bias = weight.float(), bias.float()
        self.nbytes = self._weight.nbytes + self._bias.nbytes

    def __call__(self, rows: Tensor) -> Tensor:
        """Map float32 [rows, inputs] to float32 [rows, outputs]."""
        return functional.linear(rows, self._weight, self._bias)
