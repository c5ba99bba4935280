"""What the shipped model says about itself."""

import json
import re

import pytest

from src.config import ROOT
from src.sentiment_analyzer.sentiment_analysis import SentimentAnalyzer
from src.training import report

MODEL = ROOT / "model"
METRICS = json.loads((MODEL / "metrics.json").read_text())


def test_the_metrics_are_of_this_model(analyzer: SentimentAnalyzer) -> None:
    assert METRICS["model_version"] == analyzer.version


def test_the_card_and_the_readme_show_the_metrics() -> None:
    for path in (MODEL / "README.md", ROOT.parent.parent / "README.md"):
        assert report.table(METRICS) in path.read_text(), path


def test_the_card_shows_what_was_to_be_reached_and_the_hard_cases() -> None:
    card = (MODEL / "README.md").read_text()
    assert report.reach(METRICS) in card
    assert report.hard_cases(METRICS) in card


def test_it_reaches_what_was_promised() -> None:
    assert METRICS["sets"]["sst2_dev"]["int8"]["accuracy"] >= 0.90


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
    assert answer["label"] == "POSITIVE"
