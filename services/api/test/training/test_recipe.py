"""The learning rate's way up and down."""

from itertools import pairwise

import pytest

from src.training.recipe import SHARES, STAGES, Recipe

RECIPE = Recipe(learning_rate=1.0, warmup=0.1)


def test_the_learning_rate_rises_linearly_over_the_warmup() -> None:
    assert [RECIPE.learning_rate_at(step, 40) for step in range(4)] == [0.25, 0.5, 0.75, 1.0]


def test_then_it_falls_linearly_to_nearly_zero() -> None:
    rates = [RECIPE.learning_rate_at(step, 40) for step in range(4, 40)]
    assert rates[0] == 1.0
    assert [one - other for one, other in pairwise(rates)] == pytest.approx([1 / 36] * 35)
    assert rates[-1] == pytest.approx(1 / 36)


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_the_shortest_runs_have_a_learning_rate_too(steps: int) -> None:
    assert all(0 < RECIPE.learning_rate_at(step, steps) <= 1 for step in range(steps))


def test_each_stage_holds_out_the_same_share_by_the_same_seed() -> None:
    """Else a later stage would be trained on what an earlier one held out, or the other way round."""
    assert len({(stage.held_out, stage.seed) for stage in STAGES.values()}) == 1


def test_every_stage_has_its_share_of_the_model() -> None:
    assert list(SHARES) == list(STAGES)
    assert sum(SHARES.values()) == pytest.approx(1)


def test_a_stage_starts_from_the_encoder_or_from_one_before_it() -> None:
    names = list(STAGES)
    assert all(stage.after is None or stage.after in names[: names.index(name)] for name, stage in STAGES.items())
