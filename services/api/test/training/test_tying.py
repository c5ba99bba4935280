"""He and she as one word."""

import itertools
import json
from pathlib import Path

import pytest
from safetensors.torch import load_file

from src.config import ROOT
from src.sentiment_analyzer.sentiment_analysis import SentimentAnalyzer
from src.training.averaging import WEIGHTS, average, save_weights
from src.training.swaps import swap_pronouns
from src.training.tying import GROUPS, tie

REVIEWS = [
    "He gives her his hand, and she hurts herself. He did it himself, and it moved me.",
    "Her best film, and his worst; the fault is hers, not him.",
]


@pytest.mark.parametrize("review", REVIEWS)
def test_the_model_that_ships_scores_both_alike(analyzer: SentimentAnalyzer, review: str) -> None:
    one, other = analyzer.analyze([review, swap_pronouns(review)])
    assert one == other


def test_each_group_gets_its_mean_and_no_other_weight_changes(tmp_path: Path) -> None:
    average({ROOT / "model": 1.0}, tmp_path)
    embeddings = "distilbert.embeddings.word_embeddings.weight"
    vocabulary = json.loads((tmp_path / "tokenizer.json").read_text())["model"]["vocab"]
    groups = [[vocabulary[word] for word in group] for group in GROUPS]
    before = load_file(tmp_path / WEIGHTS)
    for row in itertools.chain(*groups):  # the model that ships is tied
        before[embeddings][row] += row % 7 / 8
    save_weights(before, tmp_path)
    tie(tmp_path)
    after = load_file(tmp_path / WEIGHTS)
    for group in groups:
        mean = before[embeddings][group].float().mean(dim=0).half()
        assert all(after[embeddings][row].equal(mean) for row in group)
        after[embeddings][group] = before[embeddings][group]
    assert all(before[name].equal(after[name]) for name in before)
