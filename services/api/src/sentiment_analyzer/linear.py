"""Linear layers, [rows, inputs] float32 to [rows, outputs] float32, in int8 and in float32."""

from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional

from src.sentiment_analyzer.quantization import INT8_MAX, TINY, quantize


class Linear(Protocol):
    """What the engine needs of a layer."""

    nbytes: int
    """Bytes of its weights in memory."""

    def __call__(self, rows: Tensor) -> Tensor:
        """Map float32 [rows, inputs] to float32 [rows, outputs]."""


class Int8Linear:
    """Weights in int8 with a scale per output, activations in int8 with a scale per row (per token).

    A row's result depends on that row alone: the products are exact in int32, and all else is elementwise.
    """

    def __init__(self, weight: Tensor, bias: Tensor) -> None:
        """Quantize a layer.

        :param weight: float [outputs, inputs].
        :param bias: float [outputs].
        """
        quantized, scale = quantize(weight.numpy())
        self._weight = torch.from_numpy(quantized).t()  # [inputs, outputs]
        self._scale = torch.from_numpy(scale)
        self._bias = bias.float()
        self.nbytes = self._weight.nbytes + self._scale.nbytes + self._bias.nbytes

    def __call__(self, rows: Tensor) -> Tensor:
        """Map float32 [rows, inputs] to float32 [rows, outputs]."""
        scale = rows.abs().amax(dim=1, keepdim=True).clamp_min(TINY) / INT8_MAX  # float32 [rows, 1]
        quantized = torch.round(rows / scale).to(torch.int8)
        products = torch._int_mm(quantized, self._weight)  # int32 [rows, outputs], exact
        return products.float().mul_(scale).mul_(self._scale).add_(self._bias)


class FloatLinear:
    """The same layer in float32: what int8 is compared with."""

    def __init__(self, weight: Tensor, bias: Tensor) -> None:
        """Keep a layer; the parameters are those of `Int8Linear`."""
        self._weight, self._bias = weight.float(), bias.float()
        self.nbytes = self._weight.nbytes + self._bias.nbytes

    def __call__(self, rows: Tensor) -> Tensor:
        """Map float32 [rows, inputs] to float32 [rows, outputs]."""
        return functional.linear(rows, self._weight, self._bias)
