"""Small checkpoints, saved by transformers."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from transformers import DistilBertConfig, DistilBertForSequenceClassification, PreTrainedTokenizerFast

from src.config import ROOT

MODEL = os.environ.get("MODEL_PATH", str(ROOT / "model"))
"""The model of the `analyzer` fixture: the one that ships, or the one that MODEL_PATH names."""
SST2_LABELS = {0: "NEGATIVE", 1: "POSITIVE"}
THREE_LABELS = {0: "negative", 1: "neutral", 2: "positive"}


@pytest.fixture(scope="session")
def tokenizer() -> PreTrainedTokenizerFast:
    """The shipped tokenizer, with BERT's vocabulary of 30,522 tokens."""
    return PreTrainedTokenizerFast.from_pretrained(ROOT / "model")


@pytest.fixture
def save_checkpoint(tmp_path: Path, tokenizer: PreTrainedTokenizerFast) -> Callable[..., Path]:
    """Save a model with random weights and return its folder; keywords change its config."""

    def save(**changes: object) -> Path:
        torch.manual_seed(0)
        config = DistilBertConfig(
            **{"dim": 32, "hidden_dim": 64, "n_heads": 2, "n_layers": 2, "id2label": SST2_LABELS, **changes}
        )
        folder = tmp_path / "checkpoint"
        model = DistilBertForSequenceClassification(config)
        torch.nn.init.normal_(model.classifier.weight, std=1)
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        return folder

    return save
