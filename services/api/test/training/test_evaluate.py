"""The commands that measure a model, on one so small that its figures mean nothing."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from src.sentiment_analyzer.sentiment_analysis import SentimentAnalyzer
from src.training import data, evaluate, pooling
from src.training.calibrate import calibrate
from src.training.train import Trainer

pytestmark = pytest.mark.training


@pytest.fixture
def model(trainer: Callable[..., Trainer], examples: list[data.Example], tmp_path: Path) -> Path:
    """Return the folder of a calibrated model with random weights."""
    trainer().export(tmp_path / "model")
    calibrate(tmp_path / "model", examples)
    return tmp_path / "model"


def test_the_metrics_are_written_beside_the_weights_and_printed(
    model: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["evaluate", "--model", str(model), "--sample", "8"])
    evaluate.main()
    metrics = json.loads((model / "metrics.json").read_text())
    assert metrics["model_version"] == SentimentAnalyzer.load(str(model)).version
    assert {name: row["texts"] for name, row in metrics["sets"].items()} == {"sst2_dev": 8, "imdb_test": 8}
    assert metrics["command"] == f"python -m src.training.evaluate --model {model} --sample 8"
    printed = capsys.readouterr().out
    assert all(line in printed for line in ("| set | texts |", "| kind | texts |", "| what | reach |"))


def test_each_way_to_read_long_reviews_has_a_row(model: Path, examples: list[data.Example]) -> None:
    header, _, *rows = pooling.measure(model, examples)
    assert header.startswith("| window | overlap | pooling | accuracy")
    assert len(rows) == len(pooling.WINDOWINGS) * len(pooling.POOLINGS)
