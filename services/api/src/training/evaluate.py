"""Measure a model as it is served (int8), and beside it in float32: `python -m src.training.evaluate`."""

import argparse
import datetime
import json
import logging
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
from src.sentiment_analyzer.intervals import wilson
from src.sentiment_analyzer.sentiment_analysis import SentimentAnalyzer
from src.training import corpus, data, measures, report
from src.training.measures import SENTIMENTS

T = TypeVar("T")
Figures = dict[str, Any]

COMPARED = 3000
"""Texts of a set that are computed in float32 too."""
REVIEWS = 200
"""Held-out reviews in which names take each other's place."""
_REVIEWS = ("imdb", "yts_imdb")


def compare(folder: Path, names: Sequence[str], sample: int | None = None, compared: int | None = COMPARED) -> Figures:
    """Return the figures of each evaluation set for int8, and how float32 differs from it.

    :param sample: the most texts of a set, drawn with a fixed seed; None for all of them.
    :param compared: the most of these that are computed in float32 too.
    """
    int8 = SentimentAnalyzer.load(str(folder))
    fp32 = SentimentAnalyzer.load(str(folder), quantized=False)
    sets: Figures = {}
    for name in names:
        examples = drawn(data.load(name), sample)
        texts, labels = [example.text for example in examples], data.labels_of(examples)
        served = measures.answers(int8, texts, f"{name} int8")
        rows = np.array(drawn(range(len(texts)), compared))
        exact = measures.answers(fp32, [texts[row] for row in rows], f"{name} fp32")
        right = measures.sign_is_right(served, labels)
        sets[name] = {
            "texts": len(texts),
            "accuracy": float(right.mean()),
            "interval": wilson(int(right.sum()), len(texts)),
            "neutral": float(np.mean(served.sentiment == "neutral")),
            "calibration": asdict(measures.calibration(served.positive, labels == 1)),
            "compared": len(rows),
            "lost": float(measures.sign_is_right(exact, labels[rows]).mean() - right[rows].mean()),
            "flips": float(np.mean(served.sentiment[rows] != exact.sentiment)),
            "sign_flips": float(np.mean((served.score[rows] >= 0) != (exact.score >= 0))),
        }
    [score] = int8.analyze(["A film."])
    return {"model_version": int8.version, "labels": 2 if score.p_neutral is None else 3, "sets": sets}


def drawn(items: Sequence[T], most: int | None) -> Sequence[T]:
    """Return the items, or `most` of them, always the same ones."""
    if most is None or most >= len(items):
        return items
    return random.Random(0).sample(items, most)  # noqa: S311  # a sample, not a secret


def held_out(analyzer: SentimentAnalyzer, texts: Sequence[corpus.Text]) -> Figures:
    """Return figures on texts of the training's sources that are never trained on."""
    texts = [text for text in texts if text.kind != "phrase" and text.target]
    given = measures.answers(analyzer, [text.text for text in texts], "held-out texts")
    truth = np.array([sentiment_of(text.target) for text in texts if text.target])
    source = np.array([text.source for text in texts])
    right = measures.sign_is_right(given, (truth == "positive").astype(np.int64))
    sentences = np.array([text.source == "sst5_phrases" and text.kind == "sentence" for text in texts])
    three_way = given.of(sentences)
    figures: Figures = {
        "sentences": {
            "texts": int(sentences.sum()),
            "macro_f1": measures.macro_f1(three_way, truth[sentences].tolist()),
            "calibration": asdict(measures.calibration(three_way.confidence, three_way.sentiment == truth[sentences])),
        }
    }
    for name in dict.fromkeys(source.tolist()):
        sided = (source == name) & (truth != "neutral")
        if sided.any():
            figures[name] = {
                "texts": int(sided.sum()),
                "accuracy": float(right[sided].mean()),
                "neutral": float((given.sentiment[sided] == "neutral").mean()),
            }
    return figures | {"pairs": _pairs(texts, right)}


def sentiment_of(target: corpus.Target) -> str:
    """Return the likeliest sentiment by a text's label."""
    return SENTIMENTS[int(np.argmax(target))]


def _pairs(texts: Sequence[corpus.Text], right: measures.Flags) -> Figures:
    """Return the share of the pairs, a review and its edit with the other label, of which both are right."""
    members: dict[str, list[bool]] = {}
    for text, is_right in zip(texts, right.tolist(), strict=True):
        if text.note.startswith("pair"):
            members.setdefault(text.note, []).append(is_right)
    pairs = [all(both) for both in members.values() if len(both) == 2]
    return {"pairs": len(pairs), "both_right": float(np.mean(pairs)) if pairs else None}


def soundness(
    analyzer: SentimentAnalyzer, seeing: SentimentAnalyzer, texts: Sequence[corpus.Text], reviews: int = REVIEWS
) -> Figures:
    """Return figures on the texts of `measured/`, and what names do to the score of held-out reviews.

    :param seeing: the same model without blindness: what countries and names do to it is measured so.
    :param reviews: the most reviews in which names take each other's place.
    """
    with_names = [text.text for text in texts if text.source in _REVIEWS and measures.mentioned_name(text.text)]
    of_all, of_new = measures.names_in_reviews(seeing, drawn(with_names, reviews))
    return {
        "turns": {kind: asdict(share) for kind, share in measures.turns(analyzer).items()},
        "off_domain": {kind: asdict(share) for kind, share in measures.off_domain(analyzer).items()},
        "foreign": asdict(measures.foreign(analyzer)),
        "typed": _typed(analyzer),
        "spreads": {kind: asdict(spread) for kind, spread in measures.spreads(seeing).items()},
        "spreads_as_served": {kind: asdict(spread) for kind, spread in measures.spreads(analyzer).items()},
        "names": {"reviews": len(of_all), "all": _percentiles(of_all), "never_trained": _percentiles(of_new)},
    }


def _typed(analyzer: SentimentAnalyzer) -> Figures:
    answered = measures.typed(analyzer)
    new = [accepted for text, *_, accepted in answered if not measures.is_written(text)]
    return {
        "texts": len(answered),
        "accepted": float(np.mean([accepted for *_, accepted in answered])),
        "never_trained": {"texts": len(new), "accepted": float(np.mean(new))},
        "refused": [[text, said, score] for text, said, score, accepted in answered if not accepted],
    }


def _percentiles(differences: measures.Floats) -> Figures | None:
    if not len(differences):
        return None
    return {"median": float(np.median(differences)), "percentile_99": float(np.percentile(differences, 99))}


def main() -> None:
    """Evaluate the shipped model, print its tables and rewrite its metrics.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=Path("model"))
    parser.add_argument("--out", type=Path, help="file of the figures (the model's metrics.json)")
    parser.add_argument("--sets", nargs="*", default=list(data.EVALUATION), choices=list(data.EVALUATION))
    parser.add_argument("--sample", type=int, help="at most so many texts of each set, always the same ones")
    parser.add_argument("--compared", type=int, default=COMPARED, help="at most so many of these in float32 too")
    parser.add_argument("--reviews", type=int, default=REVIEWS, help="at most so many reviews to exchange names in")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    started = time.monotonic()
    texts = corpus.held_out()
    analyzer = SentimentAnalyzer.load(str(arguments.model))
    seeing = SentimentAnalyzer.load(str(arguments.model), blinded=False)
    metrics: Figures = {"held_out": held_out(analyzer, texts)} | soundness(analyzer, seeing, texts, arguments.reviews)
    metrics |= compare(arguments.model, arguments.sets, arguments.sample, arguments.compared)
    metrics |= {
        "megabytes": sum(path.stat().st_size for path in arguments.model.iterdir()) / 1e6,
        "command": shlex.join(["python", "-m", "src.training.evaluate", *sys.argv[1:]]),
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "seconds": round(time.monotonic() - started),
        "torch": torch.__version__,
        "machine": f"{platform.machine()}, {torch.backends.cpu.get_cpu_capability()}, {cpus.available()} cores",
    }
    (arguments.out or arguments.model / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n")
    print(report.sets(metrics), report.kinds(metrics), report.fairness(metrics), report.reach(metrics), sep="\n\n")


if __name__ == "__main__":
    main()
