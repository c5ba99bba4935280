"""The shipped model, its metrics and its card."""

import json
import re
from pathlib import Path

import pytest

from src.config import ROOT
from src.sentiment_analyzer.sentiment_analysis import SentimentAnalyzer
from src.training import report

MODEL = ROOT / "model"
METRICS = json.loads((MODEL / "metrics.json").read_text())


def test_the_metrics_are_of_this_model(analyzer: SentimentAnalyzer) -> None:
    assert METRICS["model_version"] == analyzer.version


@pytest.mark.parametrize("path", [MODEL / "README.md", ROOT.parent.parent / "README.md"])
def test_the_card_and_the_readme_show_the_metrics(path: Path) -> None:
    assert report.sets(METRICS) in path.read_text()


def test_the_card_shows_every_table() -> None:
    card = (MODEL / "README.md").read_text()
    assert all(table(METRICS) in card for table in report.TABLES.values())
    assert report.filled(card, METRICS) == card


def test_the_checkpoint_is_at_most_50_mb() -> None:
    assert sum(path.stat().st_size for path in MODEL.iterdir()) <= 50e6


def test_the_licence_of_the_encoder_is_with_it() -> None:
    assert "Apache License" in (MODEL / "LICENSE").read_text()


def test_plain_transformers_loads_it_as_the_card_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    [code] = re.findall(r"```python\n(.*?)```", (MODEL / "README.md").read_text(), re.DOTALL)
    monkeypatch.chdir(ROOT)
    names: dict[str, object] = {}
    exec(code, names)
    [answer] = names["answer"]  # type: ignore[misc]
    assert answer["label"] == "positive"
