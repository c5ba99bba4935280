"""Batches of the corpus, made on the device that trains, which holds all tokens."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from src.training.networks import Shape

KINDS = ("phrase", "sentence", "snippet", "review", "segment", "written", "counterfactual")
"""The kinds of items."""
Rows = NDArray[np.int64]


@dataclass
class Corpus:
    """A corpus that `corpus.build` wrote: the tokens of all texts, and columns with a row for each item."""

    tokens: Tensor
    """int32 [tokens of all texts], on the device."""
    offsets: Rows
    """The place of each text's first token in `tokens`."""
    first: Rows
    """The place of an item's first token in its text."""
    length: Rows
    kind: NDArray[np.uint8]
    text: Rows
    """The row of an item's text in texts.parquet."""
    row: Rows
    """The row of an item's text in its source."""
    source: NDArray[np.str_]
    note: NDArray[np.str_]
    held_out: NDArray[np.bool_]
    group: Rows
    target: NDArray[np.float32]
    """float32 [items, 3], zeros where an item has no label."""

    @classmethod
    def load(cls, folder: Path, device: torch.device) -> "Corpus":
        """Read a corpus."""
        import pyarrow.parquet as pq

        texts = pq.read_table(folder / "texts.parquet")
        column = {name: np.array(texts[name].to_pylist()) for name in texts.column_names}
        items = np.load(folder / "items.npz")
        text = items["text"].astype(np.int64)
        target = items["target"].astype(np.float32)
        target /= np.maximum(target.sum(axis=1, keepdims=True), 1)
        return cls(
            tokens=torch.from_numpy(np.load(folder / "tokens.npy").astype(np.int32)).to(device),
            offsets=np.concatenate([[0], np.cumsum(column["length"], dtype=np.int64)[:-1]]),
            first=items["first"].astype(np.int64),
            length=items["length"].astype(np.int64),
            kind=items["kind"],
            text=text,
            row=column["row_id"].astype(np.int64)[text],
            source=column["file"].astype(str)[text],
            note=column["note"].astype(str)[text],
            held_out=column["held_out"].astype(bool)[text],
            group=column["group"].astype(np.int64)[text],
            target=target,
        )

    @cached_property
    def start(self) -> Rows:
        """The place of each item's first token in `tokens`."""
        return self.offsets[self.text] + self.first

    def __len__(self) -> int:
        return len(self.text)

    def is_kind(self, *kinds: str) -> NDArray[np.bool_]:
        """Return which items are of one of these kinds."""
        return np.isin(self.kind, [KINDS.index(kind) for kind in kinds])

    def batch(
        self, start: Rows, length: Rows, shape: Shape, masked: float = 0.0, generator: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return (ids int64, attended bool), both [rows, tokens], with special tokens, as an encoder reads them.

        :param masked: the share of the tokens that become the mask token, in every other row.
        """
        device = self.tokens.device
        width = -(-(int(length.max()) + 2) // 8) * 8
        places = torch.arange(width, device=device)
        starts = torch.from_numpy(start).to(device)[:, None]
        lengths = torch.from_numpy(length).to(device)[:, None]
        body = self.tokens[(starts + places - 1).clamp(0, len(self.tokens) - 1)].long() + shape.shift
        if masked:
            hit = torch.rand(body.shape, device=device, generator=generator) < masked
            every_other = torch.rand(len(start), 1, device=device, generator=generator) < 0.5
            body = torch.where(hit & every_other & (lengths >= 6), shape.mask, body)
        pad = torch.full_like(body, shape.pad)
        ids = torch.where(places <= lengths, body, torch.where(places == lengths + 1, shape.sep, pad))
        ids[:, 0] = shape.cls
        return ids, places <= lengths + 1


def divide(rows: Rows, length: Rows, most_rows: int, most_tokens: int) -> Iterator[Rows]:
    """Yield batches of rows of like length, none with more rows or, padding included, more tokens than that.

    :param length: of the item in each of `rows`.
    """
    order = np.argsort(length, kind="stable")
    rows, widths = rows[order], length[order] + 2
    start = 0
    while start < len(rows):
        end = min(start + most_rows, len(rows))
        while (end - start) * int(widths[end - 1]) > most_tokens and end - start > 1:
            end = start + max(1, min(end - start - 1, most_tokens // int(widths[end - 1])))
        yield rows[start:end]
        start = end


def shuffled(rows: Rows, length: Rows, most_rows: int, most_tokens: int, draw: np.random.Generator) -> list[Rows]:
    """Return batches in random order, which are of like length within pools of random rows."""
    pools = np.array_split(draw.permutation(len(rows)), max(1, len(rows) // 100_000))
    batches = itertools.chain.from_iterable(divide(rows[pool], length[pool], most_rows, most_tokens) for pool in pools)
    made = list(batches)
    return [made[index] for index in draw.permutation(len(made))]
