"""The PyTorch engine: DistilBERT's forward pass in float32, and in int8 where the kernel does not run.

The model: Sanh et al., DistilBERT (2019), https://arxiv.org/abs/1910.01108.

No reduction may depend on the batch. So a window is padded to the next multiple of `BUCKET`, batched only with windows
of the same padded length, and always masked: it takes the same path through PyTorch's kernels every time.
"""

from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from src.sentiment_analyzer import cpus
from src.sentiment_analyzer.checkpoint import SPECIAL_TOKENS, Checkpoint
from src.sentiment_analyzer.engines.linear import FloatLinear, Int8Linear, Linear

BUCKET = 16
"""The unit of padded lengths: 16 float32 fill one cache line, so that every row has the same alignment."""
BATCH_TOKENS = 4096
"""The most padded tokens in one forward pass, so that activations stay in cache and other callers get their turn."""
PARALLEL_TOKENS = 512
"""The fewest padded tokens for which a batch is computed on several cores. For smaller ones, synchronizing the cores
costs more than it saves (docs/performance.md)."""
_EPSILON = 1e-12


class TorchEngine:
    """An engine that computes in PyTorch. Safe to share between threads.

    A single thread calls PyTorch, one batch at a time: PyTorch's number of threads and its pools of workers belong to
    the thread that calls.
    """

    def __init__(self, checkpoint: Checkpoint, *, quantized: bool = True) -> None:
        """Quantize the checkpoint's linear layers to int8, or keep them in float32 if not `quantized`."""
        self.name = "pytorch int8" if quantized else "pytorch float32"
        weights = {name: torch.from_numpy(weight) for name, weight in checkpoint.weights.items()}
        linear = Int8Linear if quantized else FloatLinear
        self._linears: list[Linear] = []

        def build(weight: Tensor, bias: Tensor) -> Linear:
            self._linears.append(linear(weight, bias))
            return self._linears[-1]

        def layer(name: str) -> Linear:
            return build(weights[f"{name}.weight"], weights[f"{name}.bias"])

        def norm(name: str) -> tuple[Tensor, Tensor]:
            return weights[f"{name}.weight"].float(), weights[f"{name}.bias"].float()

        def qkv(name: str) -> Linear:
            names = [f"{name}.{part}_lin" for part in "qkv"]
            return build(
                torch.cat([weights[f"{part}.weight"] for part in names]),
                torch.cat([weights[f"{part}.bias"] for part in names]),
            )

        self._tokenizer_ids = tuple(checkpoint.tokenizer.token_to_id(token) for token in SPECIAL_TOKENS)
        self._words = weights["distilbert.embeddings.word_embeddings.weight"]
        self._positions = weights["distilbert.embeddings.position_embeddings.weight"].float()
        self._embedding_norm = norm("distilbert.embeddings.LayerNorm")
        self._layers = [
            _Layer(
                [
                    qkv(f"{name}.attention"),
                    *map(layer, (f"{name}.attention.out_lin", f"{name}.ffn.lin1", f"{name}.ffn.lin2")),
                ],
                [norm(f"{name}.sa_layer_norm"), norm(f"{name}.output_layer_norm")],
                int(checkpoint.config["n_heads"]),
            )
            for name in (f"distilbert.transformer.layer.{index}" for index in range(checkpoint.config["n_layers"]))
        ]
        self._pre_classifier = layer("pre_classifier")
        self._classifier = weights["classifier.weight"].float(), weights["classifier.bias"].float()
        self._cores = cpus.available()
        self._thread = ThreadPoolExecutor(1, "engine")

    @property
    def window_size(self) -> int:
        """The most tokens in a window: the model's positions minus [CLS] and [SEP]."""
        return len(self._positions) - 2

    @property
    def nbytes(self) -> int:
        """The bytes of linear layers and embeddings in memory, nearly all of the weights."""
        return sum(layer.nbytes for layer in self._linears) + self._words.nbytes + self._positions.nbytes

    def logits(self, windows: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        """Return the logits of each window, float32 [windows, labels]; see `Engine`."""
        buckets: dict[int, list[int]] = defaultdict(list)
        for index, window in enumerate(windows):
            buckets[-(-(len(window) + 2) // BUCKET) * BUCKET].append(index)
        logits = torch.empty(len(windows), len(self._classifier[1]))
        for width, indices in buckets.items():
            rows = max(1, BATCH_TOKENS // width)
            for start in range(0, len(indices), rows):
                batch = indices[start : start + rows]
                logits[batch] = self._thread.submit(self._forward, [windows[index] for index in batch], width).result()
        return logits.numpy()

    @torch.inference_mode()
    def _forward(self, windows: list[Sequence[int]], width: int) -> Tensor:
        """Return the logits of windows, padded to `width` tokens, float32 [windows, labels]."""
        torch.set_num_threads(self._cores if len(windows) * width >= PARALLEL_TOKENS else 1)
        cls_id, sep_id, pad_id = self._tokenizer_ids
        width = min(width, len(self._positions))
        ids = torch.tensor([[cls_id, *window, sep_id] + [pad_id] * (width - 2 - len(window)) for window in windows])
        lengths = torch.tensor([len(window) + 2 for window in windows])
        mask = torch.zeros(len(windows), 1, 1, width)  # added to attention scores
        mask.masked_fill_(torch.arange(width) >= lengths[:, None, None, None], float("-inf"))
        hidden = functional.embedding(ids, self._words).float() + self._positions[:width]
        rows = _normalize(hidden.flatten(0, 1), self._embedding_norm)  # [windows * width, dim]
        for layer in self._layers:
            rows = layer(rows, mask)
        first = rows.view(len(windows), width, -1)[:, 0]  # the rows of [CLS], [windows, dim]
        pooled = torch.relu(self._pre_classifier(first.contiguous()))
        weight, bias = self._classifier
        return (pooled[:, None, :] * weight).sum(dim=2) + bias


class _Layer:
    """One transformer block. The rows of all windows are concatenated."""

    def __init__(self, linears: Sequence[Linear], norms: Sequence[tuple[Tensor, Tensor]], heads: int) -> None:
        """Keep the block's linear layers (query-key-value, attention output, FFN in, FFN out) and its two norms."""
        self._qkv, self._attention_out, self._ffn_in, self._ffn_out = linears
        self._attention_norm, self._ffn_norm = norms
        self._heads = heads

    def __call__(self, rows: Tensor, mask: Tensor) -> Tensor:
        """Map float32 [windows * width, dim] to the same shape; `mask` is [windows, 1, 1, width]."""
        rows = _normalize(rows + self._attention_out(self._attend(rows, mask)), self._attention_norm)
        return _normalize(rows + self._ffn_out(functional.gelu(self._ffn_in(rows))), self._ffn_norm)

    def _attend(self, rows: Tensor, mask: Tensor) -> Tensor:
        windows, width = len(mask), mask.shape[-1]
        qkv = self._qkv(rows).view(windows, width, 3, self._heads, -1).permute(2, 0, 3, 1, 4)
        query, key, value = qkv.contiguous()  # each [windows, heads, width, head_dim]
        attended = functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        return attended.transpose(1, 2).reshape(windows * width, -1)


def _normalize(rows: Tensor, norm: tuple[Tensor, Tensor]) -> Tensor:
    weight, bias = norm
    return functional.layer_norm(rows, (rows.shape[-1],), weight, bias, _EPSILON)
