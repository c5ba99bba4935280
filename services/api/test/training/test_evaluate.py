"""The command that measures a model, on one so small that its figures mean nothing."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from src.sentiment_analyzer.sentiment_analysis import SentimentAnalyzer
from src.training import evaluate
from src.training.corpus import Text

pytestmark = pytest.mark.training


def test_the_metrics_are_written_and_printed(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "metrics.json"
    monkeypatch.setattr(sys, "argv", ["evaluate", "--model", str(model), "--sample", "8", "--out", str(out)])
    evaluate.main()
    metrics = json.loads(out.read_text())
    assert metrics["model_version"] == SentimentAnalyzer.load(str(model)).version
    assert metrics["labels"] == 3
    assert {name: row["texts"] for name, row in metrics["sets"].items()} == {"sst2_dev": 8, "imdb_test": 8}
    assert metrics["command"] == f"python -m src.training.evaluate --model {model} --sample 8 --out {out}"
    assert metrics["turns"]["all"]["texts"] == 500
    printed = capsys.readouterr().out
    assert all(line in printed for line in ("| set | texts |", "| | kind | texts |", "| exchanged |", "| what | two"))


def test_a_pair_counts_when_both_of_its_texts_are_right() -> None:
    texts = [Text("imdb", 0, "a", note="pair1"), Text("cad_new", 1, "b", note="pair1"), Text("imdb", 2, "c"),
             Text("imdb", 3, "d", note="pair2"), Text("cad_new", 2, "e", note="pair2")]  # fmt: skip
    found = evaluate._pairs(texts, np.array([True, True, False, True, False]))
    assert found == {"pairs": 2, "both_right": 0.5}
