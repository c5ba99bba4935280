"""Which windows, and which way to pool them, read long reviews best: `python -m src.training.pooling`.

Measured on held-out reviews that are longer than the smallest window, as served. The choice is in
`sentiment_analyzer/windows.py`.
"""

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from tqdm.auto import tqdm

from src.sentiment_analyzer import windows
from src.sentiment_analyzer.calibration import Floats, expected_calibration_error, fit_temperature
from src.sentiment_analyzer.sentiment_analysis import SentimentAnalyzer
from src.sentiment_analyzer.windows import Windowing
from src.training import data
from src.training.accuracy import CHUNK, labels_of
from src.training.recipe import STAGES

WINDOWINGS = [Windowing(size, overlap) for size in (126, 254, 382, 510) for overlap in (0, 32, 64)]
POOLINGS: dict[str, Callable[[Floats], float]] = {
    "mean": windows.pool,
    "sum": lambda margins: float(margins.sum()),
    "sum / sqrt(windows)": lambda margins: float(margins.sum() / np.sqrt(len(margins))),
    "mean weighted by |margin|": lambda margins: float((margins * abs(margins)).sum() / abs(margins).sum()),
    "strongest": lambda margins: float(margins[np.argmax(abs(margins))]),
    "first and last": lambda margins: float((margins[0] + margins[-1]) / 2),
    "last": lambda margins: float(margins[-1]),
}
"""Margins of a review's windows, float64 [windows], to the review's margin."""


def measure(folder: Path, examples: list[data.Example]) -> Iterator[str]:
    """Yield the rows of a Markdown table: accuracy, and log-loss and calibration error at the best temperature."""
    labels = labels_of(examples)
    yield "| window | overlap | pooling | accuracy | log-loss | calibration error |"
    yield "|---|---|---|---|---|---|"
    for windowing in WINDOWINGS:
        analyzer = SentimentAnalyzer.load(str(folder), windowing=windowing)
        readings = [
            reading.margins
            for start in tqdm(range(0, len(examples), CHUNK), desc=f"{windowing.size}, {windowing.overlap}")
            for reading in analyzer.read([example.text for example in examples[start : start + CHUNK]])
        ]
        for name, pooling in POOLINGS.items():
            margins = np.array(list(map(pooling, readings)))
            halves = np.tanh(margins / (2 * fit_temperature(margins, labels)))
            loss = -np.log(np.maximum((1 + np.where(labels == 1, halves, -halves)) / 2, 1e-12)).mean()
            accuracy = np.mean((margins >= 0) == (labels == 1))
            error = expected_calibration_error(halves, labels)
            yield f"| {windowing.size} | {windowing.overlap} | {name} | {accuracy:.4f} | {loss:.4f} | {error:.2%} |"


def main() -> None:
    """Print the table for the model that ships."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=Path("model"))
    parser.add_argument("--words", type=int, default=200, help="reviews of at least so many words")
    arguments = parser.parse_args()
    recipe = next(iter(STAGES.values()))
    held_out = data.held_out(recipe.held_out, recipe.seed)
    examples = [example for example in held_out if len(example.text.split()) >= arguments.words]
    print(f"{len(examples)} held-out reviews of {arguments.words} words or more")
    for row in measure(arguments.model, examples):
        print(row, flush=True)


if __name__ == "__main__":
    main()
