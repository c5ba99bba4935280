"""How right the model is, as it is served (int8) and in float32: `python -m src.training.evaluate`."""

import argparse
import datetime
import json
import math
import platform
import random
import shlex
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tqdm.auto import tqdm

from src.sentiment_analyzer import cpus
from src.sentiment_analyzer.calibration import FILE as CALIBRATION
from src.sentiment_analyzer.calibration import Floats, Labels, expected_calibration_error, fit_temperature
from src.sentiment_analyzer.sentiment_analysis import SentimentAnalyzer
from src.training import data

CHUNK = 256
"""Texts that are scored between two moves of the progress bar."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One model on one set."""

    accuracy: float
    interval: tuple[float, float]
    """Of the accuracy, 95% (Wilson)."""
    calibration_error: float
    """Expected calibration error, 15 bins."""


def scores(analyzer: SentimentAnalyzer, texts: Sequence[str], description: str) -> Floats:
    """Return the sentiment_score of each text, float64 [texts]."""
    order = np.argsort([len(text) for text in texts], kind="stable")
    result = np.empty(len(texts))
    with tqdm(total=len(texts), desc=description, unit="text") as progress:
        for start in range(0, len(order), CHUNK):
            chunk = order[start : start + CHUNK]
            result[chunk] = [score.sentiment_score for score in analyzer.analyze([texts[index] for index in chunk])]
            progress.update(len(chunk))
    return result


def evaluate(sentiment_scores: Floats, labels: Labels) -> Evaluation:
    """Return how the scores of some texts compare with their labels (0 negative, 1 positive)."""
    correct = int(((sentiment_scores >= 0) == (labels == 1)).sum())
    return Evaluation(
        accuracy=correct / len(labels),
        interval=wilson(correct, len(labels)),
        calibration_error=expected_calibration_error(sentiment_scores, labels),
    )


def wilson(correct: int, total: int, z: float = 1.96) -> tuple[float, float]:
    """Return the interval of a share: Wilson, Probable Inference (1927)."""
    share = correct / total
    center = share + z * z / (2 * total)
    spread = z * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    return (center - spread) / (1 + z * z / total), (center + spread) / (1 + z * z / total)


def labels_of(examples: Sequence[data.Example]) -> Labels:
    """Return the labels, int64 [examples]."""
    return np.array([example.label for example in examples], np.int64)


def calibrate(folder: Path, held_out: Sequence[data.Example]) -> float:
    """Fit the temperature of the model in `folder` on held-out training data, as served, and write it there."""
    (folder / CALIBRATION).unlink(missing_ok=True)
    analyzer = SentimentAnalyzer.load(str(folder))
    texts = [example.text for example in held_out]
    margins: list[float] = []
    for start in tqdm(range(0, len(texts), CHUNK), desc="calibrating", unit="chunk"):
        margins += [reading.margin for reading in analyzer.read(texts[start : start + CHUNK])]
    temperature = fit_temperature(np.array(margins), labels_of(held_out))
    content = {"temperature": temperature, "fitted_on": f"{len(held_out)} held-out training texts, int8 as served"}
    (folder / CALIBRATION).write_text(json.dumps(content, indent=2) + "\n")
    return temperature


def compare(folder: Path, names: Sequence[str], sample: int | None = None) -> dict[str, Any]:
    """Return the figures of each set for int8 and float32, and how often the two disagree on the label.

    :param sample: the most texts of a set, drawn with a fixed seed; None for all of them.
    """
    analyzers = {
        "int8": SentimentAnalyzer.load(str(folder)),
        "fp32": SentimentAnalyzer.load(str(folder), quantized=False),
    }
    sets: dict[str, Any] = {}
    for name in names:
        examples = data.load(name)
        if sample is not None and sample < len(examples):
            examples = random.Random(0).sample(examples, sample)  # noqa: S311  # a sample, not a secret
        texts, labels = [example.text for example in examples], labels_of(examples)
        found: dict[str, NDArray[np.float64]] = {
            kind: scores(analyzer, texts, f"{name} {kind}") for kind, analyzer in analyzers.items()
        }
        sets[name] = {
            "texts": len(texts),
            **{kind: asdict(evaluate(values, labels)) for kind, values in found.items()},
            "flips": float(np.mean((found["int8"] >= 0) != (found["fp32"] >= 0))),
        }
    return {"model_version": analyzers["int8"].version, "sets": sets}


def table(metrics: dict[str, Any]) -> str:
    """Return the figures as a Markdown table."""
    lines = [
        "| set | texts | int8 | 95% interval | fp32 | flips | calibration error |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, row in metrics["sets"].items():
        low, high = row["int8"]["interval"]
        lines.append(
            f"| {name} | {row['texts']:,} | {row['int8']['accuracy']:.4f} | {low:.4f} to {high:.4f} "
            f"| {row['fp32']['accuracy']:.4f} | {row['flips']:.2%} | {row['int8']['calibration_error']:.2%} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Evaluate the shipped model, print the table and rewrite its metrics.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=Path("model"))
    parser.add_argument("--sets", nargs="+", default=list(data.EVALUATION), choices=list(data.SOURCES))
    parser.add_argument("--sample", type=int, help="at most so many texts of each set, always the same ones")
    arguments = parser.parse_args()
    started = time.monotonic()
    metrics = compare(arguments.model, arguments.sets, arguments.sample)
    metrics |= {
        "command": shlex.join(["python", "-m", "src.training.evaluate", *sys.argv[1:]]),
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "seconds": round(time.monotonic() - started),
        "torch": torch.__version__,
        "machine": (f"{platform.machine()}, {torch.backends.cpu.get_cpu_capability()}, {cpus.available()} cores"),
    }
    (arguments.model / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n")
    print(table(metrics))


if __name__ == "__main__":
    main()
