"""One model from several."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from src.training.averaging import average


def model(folder: Path, *values: float) -> Path:
    """Write a model of one tensor; return its folder."""
    folder.mkdir()
    save_file({"weight": torch.tensor(values, dtype=torch.float16)}, folder / "model.safetensors")
    (folder / "config.json").write_text(f'"{folder.name}"')
    return folder


def test_each_weight_is_the_mean_by_shares(tmp_path: Path) -> None:
    average({model(tmp_path / "one", 1, 2): 0.25, model(tmp_path / "two", 3, -2): 0.75}, tmp_path / "out")
    found = load_file(tmp_path / "out/model.safetensors")["weight"]
    assert found.dtype == torch.float16
    assert found.tolist() == [2.5, -1]


def test_large_weights_do_not_overflow(tmp_path: Path) -> None:
    average({model(tmp_path / "one", 60_000): 0.5, model(tmp_path / "two", 60_000): 0.5}, tmp_path / "out")
    assert load_file(tmp_path / "out/model.safetensors")["weight"].item() == pytest.approx(60_000, rel=1e-3)


def test_the_rest_is_the_last_ones_and_figures_of_an_earlier_model_go(tmp_path: Path) -> None:
    out = model(tmp_path / "out", 9)
    for name in ("calibration.json", "metrics.json", "README.md"):
        (out / name).write_text("{}")
    average({model(tmp_path / "one", 1): 0.5, model(tmp_path / "two", 3): 0.5}, out)
    assert (out / "config.json").read_text() == '"two"'
    assert sorted(path.name for path in out.iterdir()) == ["README.md", "config.json", "model.safetensors"]
