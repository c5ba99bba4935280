"""The measured gain of int8."""

from pathlib import Path

import pytest

from src.sentiment_analyzer.sentiment_analysis import SentimentAnalyzer
from src.training import quantize

pytestmark = pytest.mark.training

TEXTS = ["a lighthouse romance that glows", "a soggy thriller that mistakes rain for atmosphere", "dull"]


def test_both_forms_of_the_model_are_measured(model: Path) -> None:
    fp32, int8 = quantize.compare(model, TEXTS, batch_size=2, rounds=2)
    assert (fp32.name, int8.name) == ("fp32", "int8")
    assert fp32.megabytes == SentimentAnalyzer.load(str(model), quantized=False).nbytes / 1e6
    assert int8.megabytes == SentimentAnalyzer.load(str(model)).nbytes / 1e6
    assert fp32.per_second > 0
    assert int8.per_second > 0


def test_the_curve_has_a_rate_per_batch_size(model: Path) -> None:
    curve = quantize.batch_size_curve(SentimentAnalyzer.load(str(model)), TEXTS, [1, 2, 8], rounds=2)
    assert list(curve) == [1, 2, 8]
    assert all(rate > 0 for rate in curve.values())


def test_throughput_scores_every_text_once_in_batches_of_the_size() -> None:
    class Recorder:
        def __init__(self) -> None:
            self.batches: list[list[str]] = []

        def analyze(self, texts: list[str]) -> None:
            self.batches.append(texts)

    recorder = Recorder()
    assert quantize.throughput(recorder, TEXTS, 2) > 0
    assert recorder.batches == [TEXTS[:2], TEXTS[2:]]
