"""He and she as one word."""

from pathlib import Path

import pytest
from safetensors.torch import load_file

from src.config import ROOT
from src.sentiment_analyzer.sentiment_analysis import SentimentAnalyzer
from src.training.averaging import average
from src.training.swaps import swap_pronouns
from src.training.tying import tie

REVIEWS = [
    "He gives her his hand, and she hurts herself. He did it himself, and it moved me.",
    "Her best film, and his worst; the fault is hers, not him.",
]


@pytest.mark.parametrize("review", REVIEWS)
def test_the_model_that_ships_scores_both_alike(analyzer: SentimentAnalyzer, review: str) -> None:
    one, other = analyzer.analyze([review, swap_pronouns(review)])
    assert one == other


def test_no_other_weight_changes(tmp_path: Path) -> None:
    average({ROOT / "model": 1.0}, tmp_path)
    before = load_file(tmp_path / "model.safetensors")
    tie(tmp_path)
    after = load_file(tmp_path / "model.safetensors")
    embeddings = "distilbert.embeddings.word_embeddings.weight"
    assert all(before[name].equal(after[name]) for name in before if name != embeddings)
    assert 0 <= int((before[embeddings] != after[embeddings]).any(dim=1).sum()) <= 8
