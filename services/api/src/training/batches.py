"""Which examples are read together, in which order: fixed by the recipe's seed and the epoch."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from tqdm.auto import tqdm
from transformers import PreTrainedTokenizerFast

from src.training.recipe import Recipe

POOL = 64
"""Batches' worth of shuffled examples that are sorted by length together, so that little is padding."""


@dataclass(frozen=True, slots=True)
class Batch:
    """input_ids and attention_mask int64 [batch, tokens], targets float32 [batch], P(positive)."""

    input_ids: Tensor
    attention_mask: Tensor
    targets: Tensor


class Batches:
    """All batches of a training run, numbered through its epochs."""

    def __init__(
        self,
        token_ids: Sequence[Sequence[int]],
        targets: Sequence[float],
        special: tuple[int, int, int],
        recipe: Recipe,
    ) -> None:
        """Plan the run.

        :param token_ids: per example, without special tokens.
        :param special: ids of [CLS], [SEP] and [PAD].
        """
        self._token_ids = token_ids
        self._targets = targets
        self._cls, self._sep, self._pad = special
        self._recipe = recipe
        self._order = [(epoch, rows) for epoch in range(recipe.epochs) for rows in self._shuffle(epoch)]

    def __len__(self) -> int:
        return len(self._order)

    def __getitem__(self, step: int) -> Batch:
        """Return batch `step`, counted from 0 over all epochs."""
        epoch, rows = self._order[step]
        windows = [self._cut(row, epoch) for row in rows]
        width = max(map(len, windows)) + 2
        input_ids = torch.full((len(rows), width), self._pad)
        attention_mask = torch.zeros((len(rows), width), dtype=torch.int64)
        for row, window in enumerate(windows):
            input_ids[row, : len(window) + 2] = torch.tensor([self._cls, *window, self._sep])
            attention_mask[row, : len(window) + 2] = 1
        return Batch(input_ids, attention_mask, torch.tensor([self._targets[row] for row in rows]))

    def _cut(self, row: int, epoch: int) -> Sequence[int]:
        size = self._recipe.max_tokens - 2
        turn = epoch + row if self._recipe.ends_by_row else epoch
        return self._token_ids[row][:size] if turn % 2 == 0 else self._token_ids[row][-size:]

    def _shuffle(self, epoch: int) -> list[NDArray[np.int64]]:
        """Return the rows of each batch of an epoch: shuffled, sorted by length in pools, batches shuffled."""
        random = np.random.default_rng((self._recipe.seed, epoch))
        lengths = np.array([min(len(ids) + 2, self._recipe.max_tokens) for ids in self._token_ids])
        rows = random.permutation(len(lengths))
        size = POOL * self._recipe.batch_size
        batches: list[NDArray[np.int64]] = []
        for start in range(0, len(rows), size):
            pool = rows[start : start + size]
            batches += self._divide(pool[np.argsort(lengths[pool], kind="stable")], lengths)
        return [batches[index] for index in random.permutation(len(batches))]

    def _divide(self, rows: NDArray[np.int64], lengths: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
        """Cut rows that are sorted by length into batches, each as large as the recipe allows."""
        start = 0
        for end in range(1, len(rows) + 1):
            full = end - start == self._recipe.batch_size
            if self._recipe.batch_tokens and end < len(rows):
                full |= (end + 1 - start) * int(lengths[rows[end]]) > self._recipe.batch_tokens
            if full or end == len(rows):
                yield rows[start:end]
                start = end


def tokenize(tokenizer: PreTrainedTokenizerFast, texts: Sequence[str]) -> list[list[int]]:
    """Return the token ids of each text, whole and without special tokens."""
    ids: list[list[int]] = []
    for start in tqdm(range(0, len(texts), 2048), desc="tokenizing", unit="batch"):
        encodings = tokenizer.backend_tokenizer.encode_batch(texts[start : start + 2048], add_special_tokens=False)
        ids += [encoding.ids for encoding in encodings]
    return ids
