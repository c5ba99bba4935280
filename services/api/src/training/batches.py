"""Which examples are read together, in which order: fixed by the recipe's seed and the epoch."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from src.training.recipe import Recipe

POOL = 64
"""Batches' worth of shuffled examples that are sorted by length together, so that little is padding."""


@dataclass(frozen=True, slots=True)
class Batch:
    """input_ids and attention_mask int64 [batch, tokens], labels int64 [batch]."""

    input_ids: Tensor
    attention_mask: Tensor
    labels: Tensor


class Batches:
    """All batches of a training run, numbered through its epochs."""

    def __init__(
        self, token_ids: Sequence[Sequence[int]], labels: Sequence[int], special: tuple[int, int, int], recipe: Recipe
    ) -> None:
        """Plan the run.

        :param token_ids: per example, without special tokens.
        :param special: ids of [CLS], [SEP] and [PAD].
        """
        self._token_ids = token_ids
        self._labels = labels
        self._cls, self._sep, self._pad = special
        self._recipe = recipe
        self.per_epoch = -(-len(token_ids) // recipe.batch_size)
        self._order: tuple[int, list[NDArray[np.int64]]] = (-1, [])

    def __len__(self) -> int:
        return self.per_epoch * self._recipe.epochs

    def __getitem__(self, step: int) -> Batch:
        """Return batch `step`, counted from 0 over all epochs."""
        epoch, index = divmod(step, self.per_epoch)
        if self._order[0] != epoch:
            self._order = (epoch, self._shuffle(epoch))
        rows = self._order[1][index]
        windows = [self._cut(self._token_ids[row], epoch) for row in rows]
        width = max(map(len, windows)) + 2
        input_ids = torch.full((len(rows), width), self._pad)
        attention_mask = torch.zeros((len(rows), width), dtype=torch.int64)
        for row, window in enumerate(windows):
            input_ids[row, : len(window) + 2] = torch.tensor([self._cls, *window, self._sep])
            attention_mask[row, : len(window) + 2] = 1
        return Batch(input_ids, attention_mask, torch.tensor([self._labels[row] for row in rows]))

    def _cut(self, token_ids: Sequence[int], epoch: int) -> Sequence[int]:
        size = self._recipe.max_tokens - 2
        return token_ids[:size] if epoch % 2 == 0 else token_ids[-size:]

    def _shuffle(self, epoch: int) -> list[NDArray[np.int64]]:
        """Return the rows of each batch of an epoch: shuffled, sorted by length in pools, batches shuffled."""
        random = np.random.default_rng((self._recipe.seed, epoch))
        lengths = np.array([min(len(ids), self._recipe.max_tokens) for ids in self._token_ids])
        rows = random.permutation(len(lengths))
        size = self._recipe.batch_size
        batches: list[NDArray[np.int64]] = []
        for start in range(0, len(rows), POOL * size):
            pool = rows[start : start + POOL * size]
            pool = pool[np.argsort(lengths[pool], kind="stable")]
            batches += [pool[first : first + size] for first in range(0, len(pool), size)]
        return [batches[index] for index in random.permutation(len(batches))]
