"""The interface of engines, and the choice of one: the kernel where it runs, otherwise PyTorch.

This is a module and not the package's `__init__`, because `python -m src.sentiment_analyzer.engines.compiler` imports
the package and should not import the engines with it.
"""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from src.sentiment_analyzer.checkpoint import Checkpoint
from src.sentiment_analyzer.engines import compiler
from src.sentiment_analyzer.engines.native import NativeEngine


class Engine(Protocol):
    """A loaded network. Safe to share between threads.

    A window has the same logits in every batch. Rounding to int8 amplifies a difference in the last bit, so no
    reduction may depend on the shape of the batch.
    """

    name: str
    """The name in logs, metrics and benchmarks."""

    @property
    def window_size(self) -> int:
        """The most tokens in a window: the model's positions minus [CLS] and [SEP]."""

    @property
    def nbytes(self) -> int:
        """The bytes of linear layers and embeddings in memory, nearly all of the weights."""

    def logits(self, windows: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        """Return the logits of each window, float32 [windows, labels], in the order of the checkpoint's labels.

        :param windows: token ids without special tokens, at most `window_size` each; a window may be empty.
        """


def open_engine(checkpoint: Checkpoint, *, quantized: bool = True, cores: int | None = None) -> Engine:
    """Return the fastest engine for the checkpoint on this machine.

    PyTorch is imported only if it computes: its import takes longer than the start of the kernel.

    :param quantized: False computes in float32, as the reference for int8.
    :param cores: the cores that the kernel computes on; all of them if None. PyTorch takes what it finds.
    """
    kernel = compiler.find()
    if quantized and kernel and NativeEngine.fits(checkpoint):
        return NativeEngine(checkpoint, kernel, cores)
    from src.sentiment_analyzer.engines.pytorch import TorchEngine

    return TorchEngine(checkpoint, quantized=quantized)
