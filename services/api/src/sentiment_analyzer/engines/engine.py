"""What turns token ids into logits, and the choice between two of them: the kernel where it runs, else PyTorch."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from src.sentiment_analyzer.checkpoint import Checkpoint
from src.sentiment_analyzer.engines import compiler
from src.sentiment_analyzer.engines.native import NativeEngine


class Engine(Protocol):
    """A loaded network. Safe to share between threads.

    A window has the same logits whatever else is computed beside it: rounding to int8 turns a difference in the last
    bit into one that shows, so that no reduction may depend on the batch.
    """

    name: str
    """As operators and benchmarks see it."""

    @property
    def window_size(self) -> int:
        """The most tokens of a review in one window: the positions less [CLS] and [SEP]."""

    @property
    def nbytes(self) -> int:
        """Bytes of linear layers and embeddings in memory, which is nearly all of the weights."""

    def logits(self, windows: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        """Return the logits of each window, float32 [windows, 2].

        :param windows: token ids without special tokens, at most `window_size` each; may be empty.
        """


def open_engine(checkpoint: Checkpoint, *, quantized: bool = True) -> Engine:
    """Return the fastest engine that this machine has for the checkpoint.

    PyTorch comes with the engine that needs it, which takes longer to import than the other takes to start.

    :param quantized: False computes in float32, which is what int8 is compared with.
    """
    kernel = compiler.find()
    if quantized and kernel and NativeEngine.fits(checkpoint):
        return NativeEngine(checkpoint, kernel)
    from src.sentiment_analyzer.engines.pytorch import TorchEngine

    return TorchEngine(checkpoint, quantized=quantized)
