"""The encoder that training starts from, as a DistilBERT."""

from pathlib import Path

import pytest
import torch
from transformers import (
    AutoModel,
    AutoTokenizer,
    BertConfig,
    BertModel,
    DistilBertConfig,
    DistilBertModel,
    RobertaConfig,
)

from src.training.encoder import load_encoder, packaged_encoder

TEXTS = ["a lighthouse romance that glows", "a soggy thriller that mistakes rain for atmosphere", "dull"]


@torch.inference_mode()
def assert_hidden_states_agree(name: str) -> None:
    """Compare BERT's and DistilBERT's hidden states at every position that is no padding."""
    model, _ = load_encoder(name)
    inputs = AutoTokenizer.from_pretrained(name)(TEXTS, padding=True, return_tensors="pt")
    expected = AutoModel.from_pretrained(name).eval()(**inputs).last_hidden_state
    found = model.eval().distilbert(inputs["input_ids"], inputs["attention_mask"]).last_hidden_state
    real = inputs["attention_mask"].bool()
    assert not real.all()
    torch.testing.assert_close(found[real], expected[real], atol=1e-4, rtol=0)


def test_a_bert_becomes_a_distilbert_with_the_same_hidden_states(tiny_bert: str) -> None:
    assert_hidden_states_agree(tiny_bert)


def test_the_packaged_encoder_does_too() -> None:
    assert_hidden_states_agree(packaged_encoder())


def test_a_distilbert_keeps_its_weights_and_gets_labels(tiny_bert: str, tmp_path: Path) -> None:
    config = DistilBertConfig(vocab_size=50, n_layers=1, n_heads=2, dim=32, hidden_dim=64, max_position_embeddings=40)
    encoder = DistilBertModel(config)
    encoder.save_pretrained(tmp_path)
    AutoTokenizer.from_pretrained(tiny_bert).save_pretrained(tmp_path)
    model, tokenizer = load_encoder(str(tmp_path), dropout=0.2, attention_dropout=0.3)
    expected = encoder.state_dict()
    assert all(torch.equal(weight, expected[name]) for name, weight in model.distilbert.state_dict().items())
    assert model.config.id2label == {0: "NEGATIVE", 1: "POSITIVE"}
    assert (model.config.dropout, model.config.attention_dropout) == (0.2, 0.3)
    assert tokenizer.model_max_length == 40


def test_a_model_that_was_trained_here_keeps_its_head(tiny_bert: str, tmp_path: Path) -> None:
    """The second stage goes on from the first one's model."""
    model, tokenizer = load_encoder(tiny_bert)
    model.half().save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    again, _ = load_encoder(str(tmp_path), dropout=0.0)
    expected = model.float().state_dict()
    assert all(torch.equal(weight, expected[name]) for name, weight in again.state_dict().items())
    assert {module.p for module in again.modules() if isinstance(module, torch.nn.Dropout)} <= {0.0, 0.2}
    assert again.distilbert.transformer.layer[0].ffn.dropout.p == 0.0


def test_the_tokenizer_passes_no_token_type_ids(tiny_bert: str) -> None:
    """DistilBERT has none, and other tools would pass them on and fail."""
    _, tokenizer = load_encoder(tiny_bert)
    assert set(tokenizer("a dull film")) == {"input_ids", "attention_mask"}
    assert tokenizer("a dull film")["input_ids"] == AutoTokenizer.from_pretrained(tiny_bert)("a dull film")["input_ids"]


def test_an_encoder_of_another_kind_is_refused(tmp_path: Path) -> None:
    RobertaConfig().save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="is a roberta; training starts from a BERT or a DistilBERT"):
        load_encoder(str(tmp_path))


def test_a_bert_whose_weights_do_not_map_is_refused(tiny_bert: str, tmp_path: Path) -> None:
    """A decoder has cross attention, for which DistilBERT has no place."""
    config = BertConfig.from_pretrained(tiny_bert, is_decoder=True, add_cross_attention=True)
    BertModel(config).save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="does not map onto a DistilBERT"):
        load_encoder(str(tmp_path))
