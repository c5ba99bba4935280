"""The promises of the analyzer, on the shipped model and on models of other shapes."""

import json
import random
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from src.sentiment_analyzer import ModelError, cpus
from src.sentiment_analyzer.engines import compiler
from src.sentiment_analyzer.sentiment_analysis import SentimentAnalyzer
from test.sentiment_analyzer.conftest import MODEL, SST2_LABELS, THREE_LABELS

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
        return SentimentAnalyzer.load(MODEL)


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
    alone = [analyzer.analyze([review])[0] for review in reviews]
    for seed in range(3):
        order = random.Random(seed).sample(range(64), 64)
        for batch in (order[:32], order[32:]):
            together = analyzer.analyze([reviews[index] for index in batch])
            for index, score in zip(batch, together, strict=True):
                assert score.sentiment_score == pytest.approx(alone[index].sentiment_score, abs=1e-5)
                assert score.sentiment == alone[index].sentiment


@pytest.mark.parametrize("threads", [1, 3])
def test_a_score_does_not_depend_on_the_number_of_cores(
    analyzer: SentimentAnalyzer, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    reviews = build_reviews(16, seed=1)
    expected = analyzer.analyze(reviews)
    monkeypatch.setattr(cpus, "available", lambda: threads)
    if not analyzer.engine.startswith("kernel"):
        monkeypatch.setattr(compiler, "find", lambda: None)
    assert SentimentAnalyzer.load(MODEL).analyze(reviews) == expected


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
    assert (0.5 if score.p_neutral is None else 1 / 3) <= score.confidence <= 1
    assert score.windows == 1


def test_no_texts_have_no_scores(analyzer: SentimentAnalyzer) -> None:
    assert analyzer.analyze([]) == []


@pytest.mark.parametrize("labels", [SST2_LABELS, THREE_LABELS], ids=len)
def test_float32_agrees_with_transformers(save_checkpoint: Save, labels: dict[int, str]) -> None:
    """Without quantization, the forward pass computes the same logits as transformers."""
    folder = save_checkpoint(dim=64, n_heads=4, n_layers=3, id2label=labels)
    model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    analyzer = SentimentAnalyzer.load(str(folder), quantized=False)
    for review in build_reviews(12, seed=3):
        encoded = tokenizer(review, return_tensors="pt")
        if encoded["input_ids"].shape[1] > 512:
            continue
        with torch.inference_mode():
            logits = model(**encoded).logits[0]
        assert analyzer.read([review])[0].logits == pytest.approx(logits.numpy(), abs=1e-4)


def test_int8_stays_near_float32(analyzer: SentimentAnalyzer) -> None:
    exact = SentimentAnalyzer.load(MODEL, quantized=False)
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
    assert score.p_neutral is None
    assert score.confidence == pytest.approx((1 + abs(score.sentiment_score)) / 2, abs=1e-12)


@pytest.mark.parametrize("labels", [SST2_LABELS, THREE_LABELS], ids=len)
def test_a_temperature_changes_confidence_but_no_sentiment(save_checkpoint: Save, labels: dict[int, str]) -> None:
    folder = save_checkpoint(id2label=labels)
    reviews = build_reviews(20, seed=5)
    plain = SentimentAnalyzer.load(str(folder)).analyze(reviews)
    (folder / "calibration.json").write_text(json.dumps({"temperature": 3}))
    analyzer = SentimentAnalyzer.load(str(folder))
    assert analyzer.calibrated
    for one, other in zip(plain, analyzer.analyze(reviews), strict=True):
        assert other.confidence <= one.confidence
        assert one.sentiment == other.sentiment


@pytest.mark.parametrize("shape", [{"dim": 32}, {"dim": 64}], ids=["pytorch", "kernel"])
def test_the_labels_may_have_any_order(save_checkpoint: Save, shape: dict[str, int]) -> None:
    """The rows of the classifier are turned with the labels, so every score stays."""
    reviews = build_reviews(8, seed=6)
    folder = save_checkpoint(id2label=THREE_LABELS, **shape)
    (folder / "calibration.json").write_text(json.dumps({"temperature": 2, "neutral": 0.5, "shift": -1}))
    expected = SentimentAnalyzer.load(str(folder)).analyze(reviews)
    weights = load_file(folder / "model.safetensors")
    for part in ("weight", "bias"):
        weights[f"classifier.{part}"] = weights[f"classifier.{part}"][[2, 0, 1]].clone()
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    config = json.loads((folder / "config.json").read_text())
    turned = {"0": "positive", "1": "negative", "2": "neutral"}
    (folder / "config.json").write_text(json.dumps(config | {"id2label": turned}))
    assert SentimentAnalyzer.load(str(folder)).analyze(reviews) == expected


@pytest.mark.parametrize("shape", [{"dim": 32}, {"dim": 64}], ids=["pytorch", "kernel"])
def test_three_labels_have_three_probabilities(save_checkpoint: Save, shape: dict[str, int]) -> None:
    analyzer = SentimentAnalyzer.load(str(save_checkpoint(id2label=THREE_LABELS, **shape)))
    [reading], [score] = analyzer.read(["A fine film."]), analyzer.analyze(["A fine film."])
    powers = np.exp(reading.logits)
    negative, neutral, positive = powers / powers.sum()
    assert score.sentiment_score == pytest.approx(positive - negative)
    assert score.p_neutral == pytest.approx(neutral)
    assert score.confidence == pytest.approx(max(negative, neutral, positive))


def test_warnings_come_with_the_score(analyzer: SentimentAnalyzer) -> None:
    texts = ["A fine film.", "Ein furchtbar langweiliger Film, den man sich sparen kann.", "<br />?!", "👍"]
    assert [score.warnings for score in analyzer.analyze(texts)] == [(), ("not_english",), ("unreadable",), ()]


def test_emoji_and_stars_are_read_as_words(analyzer: SentimentAnalyzer) -> None:
    drawn, written = analyzer.analyze(["It was 👍🏽. ★★☆☆☆", "It was thumbs up. 2 out of 5 stars"])
    assert drawn == written


def test_a_model_with_swapped_labels_fails_its_canaries(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    for path in Path(MODEL).iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    config = json.loads((folder / "config.json").read_text())
    swapped = dict(zip(config["id2label"], reversed(config["id2label"].values()), strict=True))
    (folder / "config.json").write_text(json.dumps(config | {"id2label": swapped}))
    with pytest.raises(ModelError, match=r"id2label in its config\.json seems to be swapped"):
        SentimentAnalyzer.load(str(folder)).check_canaries()


def test_a_model_that_tells_nothing_fails_its_canaries(save_checkpoint: Callable[..., Path]) -> None:
    folder = save_checkpoint()
    weights = load_file(folder / "model.safetensors")
    weights["classifier.weight"][:] = 0
    weights["classifier.bias"][:] = 0
    save_file(weights, folder / "model.safetensors")
    with pytest.raises(ModelError, match="may not belong together"):
        SentimentAnalyzer.load(str(folder)).check_canaries()


def test_the_model_that_ships_passes_its_canaries(analyzer: SentimentAnalyzer) -> None:
    analyzer.check_canaries()
