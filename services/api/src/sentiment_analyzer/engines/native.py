"""The native engine: it calls the compiled kernel once per chunk of windows, without the interpreter lock."""

import ctypes
import weakref
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from src.sentiment_analyzer import cpus
from src.sentiment_analyzer.checkpoint import SPECIAL_TOKENS, Checkpoint
from src.sentiment_analyzer.engines.quantization import quantize

FEWEST_TOKENS, MOST_TOKENS = 128, 384
"""The bounds of the tokens in one call, except for one larger window. A call reads all weights, so calls are few; their
activations have to stay in the core's cache."""


class NativeEngine:
    """int8 weights with a scale per output, int8 activations with a scale per token, no padding.

    One thread computes a chunk, so that cores never wait for each other within a layer.
    """

    def __init__(self, checkpoint: Checkpoint, kernel: Path, cores: int | None = None) -> None:
        """Quantize the checkpoint and load it into the compiled kernel; compute on `cores`, all of them if None."""
        config = checkpoint.config
        tensors = list(_tensors(checkpoint))
        self.name = f"kernel {kernel.stem.partition('-')[0]}"
        self.window_size = config["max_position_embeddings"] - 2
        self.nbytes = sum(tensor.nbytes for tensor in tensors)
        self._cls_id, self._sep_id = (checkpoint.tokenizer.token_to_id(token) for token in SPECIAL_TOKENS[:2])
        self._library = ctypes.CDLL(str(kernel))
        self._library.model_new.restype = ctypes.c_void_p
        pointers = (ctypes.c_void_p * len(tensors))(*(tensor.ctypes.data for tensor in tensors))
        self._labels = len(checkpoint.labels)
        shape = (config["dim"], config["hidden_dim"], config["n_heads"], config["n_layers"], self._labels)
        self._model = ctypes.c_void_p(self._library.model_new(*shape, pointers))
        self._tensors = [tensor for tensor in tensors if tensor.dtype != np.int8]  # the kernel copies only int8
        self._cores = cores or cpus.available()
        self._threads = ThreadPoolExecutor(self._cores, "kernel")
        weakref.finalize(self, _release, self._threads, self._library, self._model)

    @staticmethod
    def fits(checkpoint: Checkpoint) -> bool:
        """Tell whether the kernel supports the shapes of the checkpoint's layers, which its tiles must divide."""
        config = checkpoint.config
        head_dim, rest = divmod(config["dim"], config["n_heads"])
        return not (config["dim"] % 64 or config["hidden_dim"] % 64 or rest or head_dim % 32 or head_dim > 256)

    def logits(self, windows: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        """Return the logits of each window, float32 [windows, labels]; see `Engine`."""
        logits = np.empty((len(windows), self._labels), np.float32)
        chunks = list(_chunks([len(window) + 2 for window in windows], self._cores))
        if len(chunks) == 1 or self._cores == 1:
            for chunk in chunks:
                self._compute(windows, chunk, logits)
        else:
            for done in [self._threads.submit(self._compute, windows, chunk, logits) for chunk in chunks]:
                done.result()
        return logits

    def _compute(self, windows: Sequence[Sequence[int]], chunk: list[int], logits: NDArray[np.float32]) -> None:
        lengths = np.array([len(windows[index]) + 2 for index in chunk], np.int32)
        ids = np.empty(lengths.sum(), np.int32)
        start = 0
        for index, length in zip(chunk, lengths.tolist(), strict=True):
            ids[start], ids[start + length - 1] = self._cls_id, self._sep_id
            ids[start + 1 : start + length - 1] = windows[index]
            start += length
        out = np.empty((len(chunk), self._labels), np.float32)
        pointers = (ctypes.c_void_p(ids.ctypes.data), ctypes.c_void_p(lengths.ctypes.data))
        self._library.model_logits(self._model, *pointers, len(chunk), ctypes.c_void_p(out.ctypes.data))
        logits[chunk] = out


def _release(threads: ThreadPoolExecutor, library: ctypes.CDLL, model: ctypes.c_void_p) -> None:
    threads.shutdown(cancel_futures=True)
    library.model_delete(model)


def _chunks(lengths: Sequence[int], cores: int) -> Iterator[list[int]]:
    """Yield the indices of the windows of each chunk, longest windows first, so that the cores finish together."""
    limit = min(max(sum(lengths) // cores, FEWEST_TOKENS), MOST_TOKENS)
    chunk: list[int] = []
    tokens = 0
    for index in sorted(range(len(lengths)), key=lambda index: -lengths[index]):
        if chunk and tokens + lengths[index] > limit:
            yield chunk
            chunk, tokens = [], 0
        chunk.append(index)
        tokens += lengths[index]
    if chunk:
        yield chunk


def _tensors(checkpoint: Checkpoint) -> Iterator[NDArray[np.generic]]:
    """Yield the kernel's tensors in the order in which model.cpp reads them."""
    weights = checkpoint.weights

    def floats(name: str) -> NDArray[np.generic]:
        return np.ascontiguousarray(weights[name], np.float32)

    def norm(name: str) -> Iterator[NDArray[np.generic]]:
        yield floats(f"{name}.weight")
        yield floats(f"{name}.bias")

    def linear(*names: str) -> Iterator[NDArray[np.generic]]:
        yield from quantize(np.concatenate([weights[f"{name}.weight"] for name in names]))
        yield np.concatenate([floats(f"{name}.bias") for name in names])

    yield np.ascontiguousarray(weights["distilbert.embeddings.word_embeddings.weight"], np.float16)
    yield floats("distilbert.embeddings.position_embeddings.weight")
    yield from norm("distilbert.embeddings.LayerNorm")
    for index in range(checkpoint.config["n_layers"]):
        layer = f"distilbert.transformer.layer.{index}"
        yield from linear(*(f"{layer}.attention.{part}_lin" for part in "qkv"))
        yield from linear(f"{layer}.attention.out_lin")
        yield from linear(f"{layer}.ffn.lin1")
        yield from linear(f"{layer}.ffn.lin2")
        yield from norm(f"{layer}.sa_layer_norm")
        yield from norm(f"{layer}.output_layer_norm")
    yield from linear("pre_classifier")
    yield from norm("classifier")  # a weight and a bias in float32, as for a norm
