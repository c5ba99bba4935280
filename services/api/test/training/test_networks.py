"""The encoders in plain PyTorch against transformers'."""

from pathlib import Path

import pytest
import torch
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    BertConfig,
    BertModel,
    MPNetConfig,
    MPNetModel,
)

from src.sentiment_analyzer.sentiment_analysis import SentimentAnalyzer
from src.training import encoder
from src.training.networks import Student, Teacher, load_student, load_teacher_encoder, student_weights
from test.training.conftest import STUDENT, TEACHER

TEXTS = ["a lighthouse romance that glows", "a soggy thriller that mistakes rain for atmosphere", "dull", ""]


@torch.inference_mode()
def test_the_teachers_hidden_states_are_those_of_transformers() -> None:
    torch.manual_seed(0)
    config = MPNetConfig(vocab_size=TEACHER.vocabulary, hidden_size=TEACHER.width, num_hidden_layers=TEACHER.layers,
                         num_attention_heads=TEACHER.heads, intermediate_size=TEACHER.hidden,
                         max_position_embeddings=TEACHER.positions, layer_norm_eps=TEACHER.epsilon)  # fmt: skip
    peer = MPNetModel(config).eval()
    teacher = Teacher(TEACHER).eval()
    load_teacher_encoder(teacher, peer.state_dict())
    ids = torch.randint(5, 1000, (2, 24))
    attended = torch.ones(2, 24, dtype=torch.bool)
    ids[1, 20:], attended[1, 20:] = TEACHER.pad, False
    expected = peer(input_ids=ids, attention_mask=attended.long()).last_hidden_state
    torch.testing.assert_close(teacher.encoder(ids, attended)[attended], expected[attended], atol=1e-4, rtol=0)


@torch.inference_mode()
def test_a_bert_becomes_a_student_with_the_same_hidden_states() -> None:
    torch.manual_seed(0)
    config = BertConfig(vocab_size=STUDENT.vocabulary, hidden_size=STUDENT.width, num_hidden_layers=STUDENT.layers,
                        num_attention_heads=STUDENT.heads, intermediate_size=STUDENT.hidden)  # fmt: skip
    peer = BertModel(config).eval()
    student = Student(STUDENT).eval()
    load_student(student, encoder.as_distilbert(peer.state_dict()))
    ids = torch.randint(5, 1000, (2, 16))
    attended = torch.ones(2, 16, dtype=torch.bool)
    torch.testing.assert_close(student.encoder(ids, attended), peer(input_ids=ids).last_hidden_state, atol=1e-4, rtol=0)


def test_the_packaged_encoder_has_every_weight_of_a_student() -> None:
    load_student(Student(), encoder.student_start())


def test_without_its_packages_the_teacher_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoder, "TEACHER_PACKAGES", ["a-package-that-is-not-there"])
    with pytest.raises(RuntimeError, match=r"pip install -r requirements-teacher\.txt"):
        encoder.teacher_start()


def test_the_exported_folder_loads_here_and_in_transformers_alike(model: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(model)
    inputs = tokenizer(TEXTS, padding=True, return_tensors="pt")
    assert set(inputs) == {"input_ids", "attention_mask"}
    peer = AutoModelForSequenceClassification.from_pretrained(model, dtype=torch.float32)
    assert peer.config.id2label == {0: "negative", 1: "neutral", 2: "positive"}
    with torch.inference_mode():
        logits = peer(**inputs).logits
    own = [reading.logits.tolist() for reading in SentimentAnalyzer.load(str(model), quantized=False).read(TEXTS)]
    torch.testing.assert_close(torch.tensor(own), logits, atol=1e-4, rtol=0)


def test_weights_are_exported_in_float16_under_the_names_of_transformers() -> None:
    weights = student_weights(Student(STUDENT))
    assert {tensor.dtype for tensor in weights.values()} == {torch.float16}
    assert "distilbert.transformer.layer.0.attention.q_lin.weight" in weights
    assert "pre_classifier.bias" in weights
