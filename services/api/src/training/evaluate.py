"""How right the model is, as it is served (int8) and in float32: `python -m src.training.evaluate`."""

import argparse
import datetime
import json
import platform
import random
import shlex
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch

from src.sentiment_analyzer import cpus
from src.sentiment_analyzer.sentiment_analysis import SentimentAnalyzer
from src.training import data, hard_cases, invariance, report
from src.training.accuracy import evaluate, labels_of, scores
from src.training.recipe import STAGES

T = TypeVar("T")

REVIEWS = 200
"""Held-out reviews in which names and pronouns are exchanged."""


def compare(
    folder: Path, names: Sequence[str], sample: int | None = None, compared: int | None = None
) -> dict[str, Any]:
    """Return the figures of each set for int8, and how float32 differs from it.

    :param sample: the most texts of a set, drawn with a fixed seed; None for all of them.
    :param compared: the most of these that are computed in float32 too, which takes twice as long.
    """
    int8 = SentimentAnalyzer.load(str(folder))
    fp32 = SentimentAnalyzer.load(str(folder), quantized=False)
    sets: dict[str, Any] = {}
    for name in names:
        examples = drawn(data.load(name), sample)
        texts, labels = [example.text for example in examples], labels_of(examples)
        served = scores(int8, texts, f"{name} int8")
        rows = np.array(drawn(range(len(texts)), compared))
        exact = scores(fp32, [texts[row] for row in rows], f"{name} fp32")
        sets[name] = {
            "texts": len(texts),
            "int8": asdict(evaluate(served, labels)),
            "compared": len(rows),
            "fp32": asdict(evaluate(exact, labels[rows])),
            "lost": evaluate(exact, labels[rows]).accuracy - evaluate(served[rows], labels[rows]).accuracy,
            "flips": float(np.mean((served[rows] >= 0) != (exact >= 0))),
        }
    return {"model_version": int8.version, "sets": sets}


def drawn(items: Sequence[T], most: int | None) -> Sequence[T]:
    """Return the items, or `most` of them, always the same ones."""
    if most is None or most >= len(items):
        return items
    return random.Random(0).sample(items, most)  # noqa: S311  # a sample, not a secret


def soundness(folder: Path, reviews: int = REVIEWS) -> dict[str, Any]:
    """Return how the model as served does on hard cases, and what countries, names and pronouns do to a score.

    :param reviews: the most held-out reviews in which names are exchanged.
    """
    analyzer = SentimentAnalyzer.load(str(folder))
    seeing = SentimentAnalyzer.load(str(folder), blinded=False)
    recipe = next(iter(STAGES.values()))
    held_out = data.held_out(recipe.held_out, recipe.seed, ("imdb", "yts_imdb"))
    texts = drawn(invariance.with_names([example.text for example in held_out]), reviews)
    return {
        "hard_cases": hard_cases.measure(analyzer),
        "countries": asdict(invariance.of_countries(analyzer)),
        "countries_without_blindness": asdict(invariance.of_countries(seeing)),
        "names": _names(analyzer, texts),
        "names_without_blindness": _names(seeing, texts),
        "megabytes": sum(path.stat().st_size for path in folder.iterdir()) / 1e6,
    }


def _names(analyzer: SentimentAnalyzer, texts: Sequence[str]) -> dict[str, Any]:
    differences = invariance.of_names(analyzer, texts)
    return {
        "reviews": len(texts),
        "median": float(np.median(differences)) if texts else None,
        "percentile_99": float(np.percentile(differences, 99)) if texts else None,
    }


def main() -> None:
    """Evaluate the shipped model, print its tables and rewrite its metrics.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=Path("model"))
    parser.add_argument("--sets", nargs="+", default=list(data.EVALUATION), choices=data.EVALUATION)
    parser.add_argument("--sample", type=int, help="at most so many texts of each set, always the same ones")
    parser.add_argument("--compared", type=int, help="at most so many of these in float32 too, always the same ones")
    parser.add_argument("--reviews", type=int, default=REVIEWS, help="at most so many to exchange names in")
    arguments = parser.parse_args()
    started = time.monotonic()
    metrics = compare(arguments.model, arguments.sets, arguments.sample, arguments.compared)
    metrics |= soundness(arguments.model, arguments.reviews)
    metrics |= {
        "command": shlex.join(["python", "-m", "src.training.evaluate", *sys.argv[1:]]),
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "seconds": round(time.monotonic() - started),
        "torch": torch.__version__,
        "machine": (f"{platform.machine()}, {torch.backends.cpu.get_cpu_capability()}, {cpus.available()} cores"),
    }
    (arguments.model / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n")
    print(report.table(metrics), report.hard_cases(metrics), report.reach(metrics), sep="\n\n")


if __name__ == "__main__":
    main()
