"""The gain of int8: size and throughput of the model before and after, measured on the model that is named."""

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from src.sentiment_analyzer.sentiment_analysis import SentimentAnalyzer


@dataclass(frozen=True, slots=True)
class Measured:
    """One form of the model."""

    name: str
    megabytes: float
    """Of weights in memory, 10^6 bytes."""
    per_second: float
    """Texts scored per second, the median of the rounds."""


def compare(folder: Path, texts: Sequence[str], *, batch_size: int = 32, rounds: int = 5) -> list[Measured]:
    """Return float32 and int8 side by side; the rounds alternate, so that a slow moment hits both."""
    analyzers = {
        "fp32": SentimentAnalyzer.load(str(folder), quantized=False),
        "int8": SentimentAnalyzer.load(str(folder)),
    }
    rates: dict[str, list[float]] = {name: [] for name in analyzers}
    for _ in range(rounds):
        for name, analyzer in analyzers.items():
            rates[name].append(throughput(analyzer, texts, batch_size))
    return [
        Measured(name, analyzer.nbytes / 1e6, statistics.median(rates[name])) for name, analyzer in analyzers.items()
    ]


def batch_size_curve(
    analyzer: SentimentAnalyzer, texts: Sequence[str], batch_sizes: Sequence[int], *, rounds: int = 5
) -> dict[int, float]:
    """Return texts per second by batch size: the median of alternating rounds."""
    rates: dict[int, list[float]] = {size: [] for size in batch_sizes}
    for _ in range(rounds):
        for size in batch_sizes:
            rates[size].append(throughput(analyzer, texts, size))
    return {size: statistics.median(values) for size, values in rates.items()}


def throughput(analyzer: SentimentAnalyzer, texts: Sequence[str], batch_size: int) -> float:
    """Score all texts once in batches of `batch_size`; return texts per second."""
    started = time.perf_counter()
    for start in range(0, len(texts), batch_size):
        analyzer.analyze(texts[start : start + batch_size])
    return len(texts) / (time.perf_counter() - started)
