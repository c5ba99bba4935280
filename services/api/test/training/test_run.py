"""A training run's folder."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from src.training.recipe import Recipe
from src.training.run import Run

ROW = {"loss": 0.5, "learning_rate": 1e-3, "tokens": 100.0, "seconds": 1.5}


def test_a_new_run_has_no_state_and_no_curve(tmp_path: Path) -> None:
    run = Run(tmp_path / "new", Recipe(), "data")
    assert run.load() is None
    assert run.curve() == []


def test_what_was_saved_last_is_loaded(tmp_path: Path) -> None:
    run = Run(tmp_path, Recipe(), "data")
    run.save({"step": 1, "weight": torch.ones(2)})
    run.save({"step": 2, "weight": torch.zeros(2)})
    state = Run(tmp_path, Recipe(), "data").load()
    assert state is not None
    assert state["step"] == 2
    assert torch.equal(state["weight"], torch.zeros(2))


def test_a_save_that_was_killed_leaves_the_earlier_state(tmp_path: Path) -> None:
    run = Run(tmp_path, Recipe(), "data")
    run.save({"step": 1})
    (tmp_path / "state.pt.new").write_bytes(b"half of a")
    assert run.load() == {"step": 1}


def test_the_curve_loses_what_came_after_the_saved_step(tmp_path: Path) -> None:
    run = Run(tmp_path, Recipe(), "data")
    for step in (25, 50, 75):
        run.log({"step": step, **ROW})
    run.truncate_curve(50)
    assert run.curve() == [{"step": 25.0, **ROW}, {"step": 50.0, **ROW}]


@pytest.mark.parametrize(("recipe", "fingerprint"), [(replace(Recipe(), epochs=9), "data"), (Recipe(), "other data")])
def test_a_run_of_another_recipe_or_other_data_is_refused(tmp_path: Path, recipe: Recipe, fingerprint: str) -> None:
    Run(tmp_path, Recipe(), "data")
    with pytest.raises(ValueError, match="is of another recipe, data or encoder: name another --run"):
        Run(tmp_path, recipe, fingerprint)
