"""Batches of a corpus."""

import numpy as np
import torch

from src.training.networks import MINILM, MPNET
from src.training.stream import Corpus, divide, shuffled


def test_a_row_is_its_tokens_between_special_ones_then_padding(small_corpus: Corpus) -> None:
    rows = np.array([0, len(small_corpus) // 2])
    start, length = small_corpus.start[rows], small_corpus.length[rows]
    ids, attended = small_corpus.batch(start, length, MINILM)
    for row, (first, size) in enumerate(zip(start, length, strict=True)):
        tokens = small_corpus.tokens[first : first + size].tolist()
        assert ids[row, : size + 2].tolist() == [MINILM.cls, *tokens, MINILM.sep]
        assert set(ids[row, size + 2 :].tolist()) <= {MINILM.pad}
        assert attended[row].tolist() == [True] * (size + 2) + [False] * (ids.shape[1] - size - 2)


def test_the_teacher_reads_the_same_words_in_its_own_numbering(small_corpus: Corpus) -> None:
    start, length = small_corpus.start[:1], small_corpus.length[:1]
    student, _ = small_corpus.batch(start, length, MINILM)
    teacher, _ = small_corpus.batch(start, length, MPNET)
    assert teacher[0, 1 : length[0] + 1].tolist() == [token + 4 for token in student[0, 1 : length[0] + 1].tolist()]


def test_masked_words_are_in_about_every_other_row(small_corpus: Corpus) -> None:
    rows = np.flatnonzero(small_corpus.length >= 6)[:400]
    generator = torch.Generator().manual_seed(0)
    ids, _ = small_corpus.batch(small_corpus.start[rows], small_corpus.length[rows], MINILM, 0.5, generator)
    share = (ids == MINILM.mask).any(dim=1).float().mean()
    assert 0.35 < share < 0.6


def test_every_row_comes_once_and_no_batch_is_too_large() -> None:
    length = np.random.default_rng(0).integers(1, 60, 500)
    for batches in (list(divide(np.arange(500), length, 32, 400)),
                    shuffled(np.arange(500), length, 32, 400, np.random.default_rng(1))):  # fmt: skip
        assert sorted(np.concatenate(batches).tolist()) == list(range(500))
        assert max(map(len, batches)) <= 32
        assert max(len(batch) * (length[batch].max() + 2) for batch in batches) <= 400
