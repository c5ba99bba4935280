"""The promises of the analyzer, on the shipped model and on models of other shapes."""

import json
import random
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from src.config import ROOT
from src.sentiment_analyzer import cpus
from src.sentiment_analyzer.engines import compiler
from src.sentiment_analyzer.sentiment_analysis import SentimentAnalyzer

Save = Callable[..., Path]

LENGTHS = (1, 2, 3, 5, 8, 13, 14, 15, 22, 24, 30, 46, 60, 64, 100, 126, 200, 300, 700)
WORDS = (
    "a film with good bad awful lovely dull not never quite plot actor scene the of it was nothing wonderful".split()
)


@pytest.fixture(scope="module", params=["the best engine", "pytorch"])
def analyzer(request: pytest.FixtureRequest, analyzer: SentimentAnalyzer) -> SentimentAnalyzer:
    """The shipped model, on each engine that users may have."""
    if request.param == "the best engine":
        return analyzer
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compiler, "find", lambda: None)
        return SentimentAnalyzer.load(str(ROOT / "model"))


def build_reviews(count: int, seed: int = 0) -> list[str]:
    """Reviews of very different lengths."""
    source = random.Random(seed)
    return [" ".join(source.choices(WORDS, k=source.choice(LENGTHS))) for _ in range(count)]


def test_praise_is_positive_and_blame_negative(analyzer: SentimentAnalyzer) -> None:
    praise, blame = analyzer.analyze(["A wonderful, moving film.", "A dull and pointless film."])
    assert praise.sentiment_score > 0.5
    assert blame.sentiment_score < -0.5


def test_a_score_does_not_depend_on_its_batch(analyzer: SentimentAnalyzer) -> None:
    """Alone or in a batch of 32 of other lengths, at any place: equal within 1e-5, with the same label."""
    reviews = build_reviews(64)
    alone = [analyzer.analyze([review])[0].sentiment_score for review in reviews]
    for seed in range(3):
        order = random.Random(seed).sample(range(64), 64)
        for batch in (order[:32], order[32:]):
            together = analyzer.analyze([reviews[index] for index in batch])
            for index, score in zip(batch, together, strict=True):
                assert score.sentiment_score == pytest.approx(alone[index], abs=1e-5)
                assert (score.sentiment_score >= 0) == (alone[index] >= 0)


@pytest.mark.parametrize("threads", [1, 3])
def test_a_score_does_not_depend_on_the_number_of_cores(
    analyzer: SentimentAnalyzer, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    reviews = build_reviews(16, seed=1)
    expected = analyzer.analyze(reviews)
    monkeypatch.setattr(cpus, "available", lambda: threads)
    if not analyzer.engine.startswith("kernel"):
        monkeypatch.setattr(compiler, "find", lambda: None)
    assert SentimentAnalyzer.load(str(ROOT / "model")).analyze(reviews) == expected


def test_threads_may_share_an_analyzer(analyzer: SentimentAnalyzer) -> None:
    reviews = build_reviews(24, seed=2)
    expected = analyzer.analyze(reviews)
    found: dict[int, object] = {}

    def score(index: int) -> None:
        found[index] = analyzer.analyze([reviews[index]])[0]

    workers = [threading.Thread(target=score, args=(index,)) for index in range(len(reviews))]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [found[index] for index in range(len(reviews))] == expected


def test_a_long_review_is_read_whole(analyzer: SentimentAnalyzer) -> None:
    praise, blame = "A wonderful film. " * 400, "A terrible film. " * 400
    [praised, mixed] = analyzer.analyze([praise, praise + blame])
    assert (praised.tokens, mixed.tokens) == (1600, 3200)
    assert mixed.windows > praised.windows > 1
    assert mixed.sentiment_score < praised.sentiment_score


@pytest.mark.parametrize("text", ["", "<br />", "🎬", "…", "a" * 100_000, "\u202e", "電影很好看"])
def test_unusual_text_gets_a_score_too(analyzer: SentimentAnalyzer, text: str) -> None:
    [score] = analyzer.analyze([text])
    assert -1 <= score.sentiment_score <= 1
    assert 0.5 <= score.confidence <= 1
    assert score.windows == 1


def test_no_texts_have_no_scores(analyzer: SentimentAnalyzer) -> None:
    assert analyzer.analyze([]) == []


def test_float32_agrees_with_transformers(save_checkpoint: Save) -> None:
    """Without quantization, the forward pass computes the same logits as transformers."""
    folder = save_checkpoint(dim=64, n_heads=4, n_layers=3)
    model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    analyzer = SentimentAnalyzer.load(str(folder), quantized=False)
    for review in build_reviews(12, seed=3):
        encoded = tokenizer(review, return_tensors="pt")
        if encoded["input_ids"].shape[1] > 512:
            continue
        with torch.inference_mode():
            logits = model(**encoded).logits[0]
        assert analyzer.read([review])[0].margin == pytest.approx(float(logits[1] - logits[0]), abs=1e-4)


def test_int8_stays_near_float32(analyzer: SentimentAnalyzer) -> None:
    exact = SentimentAnalyzer.load(str(ROOT / "model"), quantized=False)
    reviews = build_reviews(40, seed=4)
    differences = [
        abs(one.sentiment_score - other.sentiment_score)
        for one, other in zip(analyzer.analyze(reviews), exact.analyze(reviews), strict=True)
    ]
    assert sum(differences) / len(differences) < 0.03  # these are random words without a clear sentiment
    if analyzer.engine.startswith("kernel"):  # PyTorch multiplies int8 as float32 where the processor lacks VNNI
        assert analyzer.nbytes < 0.6 * exact.nbytes


def test_the_published_checkpoint_would_load(save_checkpoint: Save) -> None:
    """distilbert-base-uncased-finetuned-sst-2-english: its config and labels, with random weights.

    It has no calibration file, so it is used with temperature 1 and reported as not calibrated.
    """
    folder = save_checkpoint(
        dim=768, hidden_dim=3072, n_heads=12, n_layers=6, vocab_size=30522, max_position_embeddings=512,
        activation="gelu", attention_dropout=0.1, dropout=0.1, finetuning_task="sst-2", initializer_range=0.02,
        pad_token_id=0, qa_dropout=0.1, seq_classif_dropout=0.2, sinusoidal_pos_embds=False, tie_weights_=True,
        id2label={0: "NEGATIVE", 1: "POSITIVE"}, label2id={"NEGATIVE": 0, "POSITIVE": 1},
    )  # fmt: skip
    analyzer = SentimentAnalyzer.load(str(folder))
    [score] = analyzer.analyze(["hide new secretions from the parental units"])
    assert not analyzer.calibrated
    assert score.tokens == 8
    assert -1 <= score.sentiment_score <= 1


def test_a_temperature_changes_confidence_but_no_label(save_checkpoint: Save) -> None:
    folder = save_checkpoint()
    reviews = build_reviews(20, seed=5)
    plain = SentimentAnalyzer.load(str(folder)).analyze(reviews)
    (folder / "calibration.json").write_text(json.dumps({"temperature": 3}))
    analyzer = SentimentAnalyzer.load(str(folder))
    assert analyzer.calibrated
    for one, other in zip(plain, analyzer.analyze(reviews), strict=True):
        assert other.confidence <= one.confidence
        assert (one.sentiment_score >= 0) == (other.sentiment_score >= 0)


def test_swapped_labels_are_logged_as_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    for path in (ROOT / "model").iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"id2label": {"0": "POSITIVE", "1": "NEGATIVE"}}))
    SentimentAnalyzer.load(str(folder))
    assert "is it swapped?" in caplog.text
