"""Which examples are read together, in which order, and where long ones are cut."""

from collections import Counter
from dataclasses import replace

import pytest
import torch

from src.training.batches import Batch, Batches
from src.training.recipe import Recipe

CLS, SEP, PAD = 1, 2, 0
RECIPE = Recipe(epochs=2, batch_size=4, max_tokens=8)
TOKEN_IDS = [[10 + index] * (1 + index % 5) for index in range(30)]
"""Each example is its own id, repeated; 30 are 7 full batches and a half one."""


def batches(recipe: Recipe = RECIPE, token_ids: list[list[int]] = TOKEN_IDS) -> Batches:
    return Batches(token_ids, [0.25 * (index % 2) for index in range(len(token_ids))], (CLS, SEP, PAD), recipe)


def rows_of(batch: Batch) -> list[int]:
    return (batch.input_ids[:, 1] - 10).tolist()


@pytest.mark.parametrize("epoch", [0, 1])
def test_every_example_comes_once_per_epoch(epoch: int) -> None:
    run = batches()
    assert len(run) == 16
    steps = range(epoch * 8, (epoch + 1) * 8)
    assert Counter(row for step in steps for row in rows_of(run[step])) == Counter(range(30))


def test_the_same_seed_gives_the_same_batches_in_whatever_order_they_are_asked_for() -> None:
    run, again = batches(), batches()
    forwards = [run[step].input_ids for step in range(len(run))]
    backwards = [again[step].input_ids for step in reversed(range(len(again)))]
    assert all(torch.equal(one, other) for one, other in zip(forwards, reversed(backwards), strict=True))


def test_another_seed_and_another_epoch_give_another_order() -> None:
    run, other = batches(), batches(replace(RECIPE, seed=8))
    order = [rows_of(run[step]) for step in range(8)]
    assert order != [rows_of(run[step]) for step in range(8, 16)]
    assert order != [rows_of(other[step]) for step in range(8)]


def test_a_row_is_its_tokens_between_special_ones_then_padding() -> None:
    run = batches(token_ids=[[10], [11, 12, 13], []])
    batch = run[0]
    rows = sorted(zip(batch.input_ids.tolist(), batch.attention_mask.tolist(), batch.targets.tolist(), strict=True))
    assert rows == [
        ([CLS, SEP, PAD, PAD, PAD], [1, 1, 0, 0, 0], 0.0),
        ([CLS, 10, SEP, PAD, PAD], [1, 1, 1, 0, 0], 0.0),
        ([CLS, 11, 12, 13, SEP], [1, 1, 1, 1, 1], 0.25),
    ]


def test_long_texts_are_cut_to_their_beginning_and_in_the_next_epoch_to_their_end() -> None:
    run = batches(token_ids=[list(range(10, 30))])
    assert run[0].input_ids.tolist() == [[CLS, *range(10, 16), SEP]]
    assert run[1].input_ids.tolist() == [[CLS, *range(24, 30), SEP]]


def test_the_end_can_be_read_of_every_other_text_instead() -> None:
    run = batches(replace(RECIPE, ends_by_row=True, epochs=1), [list(range(10, 30)), list(range(40, 60))])
    assert sorted(run[0].input_ids.tolist()) == [[CLS, *range(10, 16), SEP], [CLS, *range(54, 60), SEP]]


def test_a_batch_has_at_most_so_many_tokens_with_its_padding() -> None:
    token_ids = [[10] * (1 + index % 6) for index in range(200)]
    run = batches(replace(RECIPE, batch_size=16, batch_tokens=40, epochs=1), token_ids)
    sizes = [run[step].input_ids.shape for step in range(len(run))]
    assert sum(rows for rows, _ in sizes) == 200
    assert max(rows * width for rows, width in sizes) <= 40
    assert {rows for rows, width in sizes if width == 3} >= {13}, "short texts fill the budget"
    assert {rows for rows, width in sizes if width == 8} >= {5}


def test_texts_of_like_length_are_read_together() -> None:
    """Else most of a batch would be padding."""
    token_ids = [[10] * (1 + index % 6) for index in range(400)]
    run = batches(token_ids=token_ids)
    padding = sum(int((run[step].attention_mask == 0).sum()) for step in range(len(run)))
    assert padding < 2 * 0.05 * sum(map(len, token_ids))
